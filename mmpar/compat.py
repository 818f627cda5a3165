"""What mmpar needs of the packages under it: versions, and safe checkpoint loading.

The one place that knows which torch, numpy, MMEngine or mmcv version differs from
another; the rest of mmpar is written for all of them.
"""

from __future__ import annotations

import _codecs
import importlib
import importlib.util
import pickle
import re
import warnings
from types import ModuleType
from typing import Any, Callable

REQUIRED = {
    "torch": ("2.0.0", "3.0.0", "pip install torch torchvision"),
    "mmengine": ("0.10.4", "1.0.0", "pip install 'mmengine>=0.10.4,<1.0'"),
    "mmcv": (
        "2.0.0",
        "3.0.0",
        "pip install 'mmpar[mmcv-lite]', or a full mmcv 2.x if you need its compiled "
        "operators; never both, they own the same folder",
    ),
    "mmpretrain": ("1.2.0", "2.0.0", "pip install 'mmpretrain>=1.2.0,<2.0'"),
}
"""Package to (first version that works, first that may not, remedy)."""


class UnsafeCheckpointError(RuntimeError):
    """A checkpoint holds a type that weights-only loading does not allow."""


def check_dependencies() -> None:
    """Raise ``ImportError`` with the remedy if a needed package is absent or unfit.

    Looks at the imported modules, not at the installed distributions: ``mmcv`` comes
    from either of two, and forks keep the import names.
    """
    # Printed for every mmcv-lite user on import, about an operator no PAR model needs.
    warnings.filterwarnings(
        "ignore", message="Fail to import ``MultiScaleDeformableAttention``"
    )
    if importlib.util.find_spec("torchvision") is None:
        raise ImportError(
            "mmpar needs torchvision, of the release that belongs to your torch: "
            "pip install torch torchvision"
        )
    for name, (minimum, limit, remedy) in REQUIRED.items():
        _check_version(_import(name, remedy), minimum, limit, remedy)


def _import(name: str, remedy: str) -> ModuleType:
    if importlib.util.find_spec(name) is None:
        raise ImportError(f"mmpar needs {name}, which is not installed: {remedy}")
    try:
        return importlib.import_module(name)
    except AssertionError as error:  # mmpretrain's own check of mmcv and mmengine
        raise ImportError(f"{name} cannot be used: {error}") from error
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        raise ImportError(
            f"torchvision does not belong to the installed torch ({error}); install "
            "the two together: pip install --force-reinstall torch torchvision"
        ) from error


def _check_version(module: ModuleType, minimum: str, limit: str, remedy: str) -> None:
    from mmengine.utils import digit_version

    found = digit_version(module.__version__)
    if not digit_version(minimum) <= found < digit_version(limit):
        raise ImportError(
            f"mmpar needs {module.__name__} >= {minimum}, < {limit}, but "
            f"{module.__version__} is installed ({module.__file__}): {remedy}"
        )


def secure_checkpoint_loading() -> None:
    """Make MMEngine load checkpoints with torch's weights-only protection on.

    Allow-lists the harmless types that the Runner itself writes (its log buffers and
    numpy numbers) and replaces MMEngine's loaders of local and http(s) files, so that
    the protection holds whatever torch and MMEngine versions are installed and a
    refusal is explained.
    """
    from mmengine.runner import checkpoint

    _allow_types(_types_in_runner_checkpoints())
    register = checkpoint.CheckpointLoader.register_scheme
    register("", load_from_local, force=True)
    register(("http://", "https://"), load_from_http, force=True)
    # The loaders of other schemes (torchvision://, openmmlab://) call these by name.
    checkpoint.load_from_local = load_from_local
    checkpoint.load_from_http = load_from_http


def _types_in_runner_checkpoints() -> dict[str, Any]:
    import numpy as np
    from mmengine.logging.history_buffer import HistoryBuffer

    try:
        multiarray = importlib.import_module("numpy._core.multiarray")
    except ImportError:  # numpy 1
        multiarray = importlib.import_module("numpy.core.multiarray")

    types: dict[str, Any] = {
        "mmengine.logging.history_buffer.HistoryBuffer": HistoryBuffer,
        "numpy.ndarray": np.ndarray,
        "numpy.dtype": np.dtype,
        "_codecs.encode": _codecs.encode,
        # How pickle refers to the statistics methods that a log buffer carries.
        "builtins.getattr": _history_buffer_method,
        "__builtin__.getattr": _history_buffer_method,
    }
    # A checkpoint may come from a machine with the other numpy, whose path differs.
    for path in ("numpy.core.multiarray", "numpy._core.multiarray"):
        types[f"{path}._reconstruct"] = multiarray._reconstruct
        types[f"{path}.scalar"] = multiarray.scalar
    for kind in ("bool", "int32", "int64", "float32", "float64"):
        dtype_class = type(np.dtype(kind))
        types[f"{dtype_class.__module__}.{dtype_class.__name__}"] = dtype_class
    return types


def _history_buffer_method(owner: Any, name: str) -> Any:
    """Stands in for ``getattr`` in checkpoints, for a log buffer's statistics only."""
    from mmengine.logging.history_buffer import HistoryBuffer

    allowed = ("mean", "max", "min", "current")
    if owner is not HistoryBuffer or name not in allowed:
        raise pickle.UnpicklingError(f"getattr of {name!r} from {owner!r}")
    return getattr(HistoryBuffer, name)


def _allow_types(types: dict[str, Any]) -> None:
    import torch

    if _torch_takes_named_types():
        torch.serialization.add_safe_globals(
            [(allowed, name) for name, allowed in types.items()]
        )


def _torch_takes_named_types() -> bool:
    """Whether torch's protection can be given types, also under a second name."""
    import torch
    from mmengine.utils import digit_version

    return digit_version(torch.__version__) >= digit_version("2.6.0")


def _load_weights_only(path: str, map_location: Any) -> Any:
    import torch

    if _torch_takes_named_types():
        return torch.load(path, map_location=map_location, weights_only=True)
    return _load_with_allow_list(path, map_location)


def _load_with_allow_list(path: str, map_location: Any) -> Any:
    """The same protection for torch before 2.6, whose own takes no further objects.

    Python's unpickler with only torch's own list of types and ours to find.
    """
    import torch
    from torch._weights_only_unpickler import _get_allowed_globals

    allowed = {**_get_allowed_globals(), **_types_in_runner_checkpoints()}

    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            try:
                return allowed[f"{module}.{name}"]
            except KeyError:
                raise pickle.UnpicklingError(
                    f"Unsupported class {module}.{name}"
                ) from None

    restricted = ModuleType("restricted_pickle")
    restricted.__dict__.update(
        Unpickler=Unpickler,
        UnpicklingError=pickle.UnpicklingError,
        load=lambda file, **kwargs: Unpickler(file, **kwargs).load(),
    )
    return torch.load(
        path,
        map_location=map_location,
        pickle_module=restricted,
        weights_only=False,  # the restricted unpickler takes its place
    )


def load_from_local(filename: str, map_location: Any = None) -> Any:
    """Load a checkpoint file with weights-only protection.

    Args:
        filename: Path of the file; ``~`` is expanded.
        map_location: As for :func:`torch.load`.

    Raises:
        FileNotFoundError: There is no such file.
        UnsafeCheckpointError: It holds a type that is not allowed; nothing was run.
    """
    import os

    path = os.path.expanduser(filename)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"no checkpoint at {path}")
    return _explain_refusal(path, lambda: _load_weights_only(path, map_location))


def load_from_http(
    filename: str,
    map_location: Any = None,
    model_dir: str | None = None,
) -> Any:
    """Download a checkpoint, once a machine, and load it as :func:`load_from_local`.

    Args:
        filename: The http(s) address.
        map_location: As for :func:`torch.load`.
        model_dir: Folder of the download, torch's cache by default.
    """
    import os
    from urllib.parse import urlparse

    import torch
    from mmengine.dist import barrier, get_local_rank

    folder = model_dir or os.path.join(torch.hub.get_dir(), "checkpoints")
    path = os.path.join(folder, os.path.basename(urlparse(filename).path))
    if get_local_rank() == 0 and not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        torch.hub.download_url_to_file(filename, path, progress=os.isatty(0))
    barrier()
    return load_from_local(path, map_location)


def _explain_refusal(path: str, load: Callable[[], Any]) -> Any:
    try:
        return load()
    except pickle.UnpicklingError as error:
        raise UnsafeCheckpointError(
            f"the checkpoint {path} was refused: it holds "
            f"{_forbidden_types(path, error)}, and loading such types can run any "
            "code. If you trust its source, save it again as plain tensors "
            "(torch.save(checkpoint['state_dict'], ...)) where it was made."
        ) from error


def _forbidden_types(path: str, error: Exception) -> str:
    import torch

    listing = getattr(torch.serialization, "get_unsafe_globals_in_checkpoint", None)
    try:
        found = sorted(listing(path)) if listing else []
    except (ValueError, RuntimeError, pickle.UnpicklingError):
        found = []  # the listing reads only zip checkpoints
    # torch's own message names the first one only, and how to switch protection off.
    found = found or re.findall(r"(?:GLOBAL|class) (\w+(?:\.\w+)+)", str(error))[:1]
    return ", ".join(found) if found else "types other than tensors and plain values"
