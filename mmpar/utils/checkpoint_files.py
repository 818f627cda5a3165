"""The one loader of checkpoint files: knows what a file is before torch reads it.

Loading runs nothing that a file contains, whatever torch and MMEngine are installed,
and a file that is not a checkpoint is an error that says what it is.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import functools
import hashlib
import importlib
import os
import pickle
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any, Callable
from urllib.parse import urlparse

import numpy as np

from mmpar.utils.atomic import atomic_path
from mmpar.utils.bounded_file import BoundedFile, damaged_member, opened_zip
from mmpar.utils.file_kinds import HEAD_BYTES, describe_unreadable
from mmpar.utils.model_file import ENDING, UnreadableModelError, read_model_file
from mmpar.utils.pickled_arrays import (
    NDARRAY,
    Maker,
    PickledArray,
    PickledNumberKind,
    RefusedPickleError,
    empty_array,
    encode,
    no_bytes,
    scalar,
)
from mmpar.version import __version__

# 0x1950a86a20f9469cfc6c as a pickle has it: the first object of torch's format before
# 1.6, which torch.save still writes when it is asked to.
_LEGACY_MAGIC = b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
_ZIP_MAGIC = b"PK\x03\x04"
_UNPROTECTED = ["pavi://", r"(\S+\:)?s3://", r"(\S+\:)?petrel://"]
"""Schemes of MMEngine's loaders, as patterns, whose files it reads by itself."""


class UnsafeCheckpointError(RuntimeError):
    """A checkpoint holds what could run code; nothing of it was run."""


class UnreadableCheckpointError(ValueError):
    """A file is not a checkpoint, or is damaged."""


def secure_checkpoint_loading() -> None:
    """Make MMEngine load checkpoints with torch's weights-only protection on.

    Allow-lists the harmless types that the Runner itself writes (its log buffers and
    numpy numbers) and replaces MMEngine's loaders of local and http(s) files, so that
    the protection holds whatever torch and MMEngine versions are installed and a
    refusal is explained.
    """
    from mmengine.runner import checkpoint

    _allow_types()  # also for code that calls torch.load itself
    register = checkpoint.CheckpointLoader.register_scheme
    register("", load_from_local, force=True)
    register(("http://", "https://"), load_from_http, force=True)
    # These load by torch.load as it is, which before 2.6 protects from nothing.
    register(_UNPROTECTED, load_from_elsewhere, force=True)
    # The loaders of models by name (torchvision://resnet50) call it by its name.
    checkpoint.load_from_http = load_from_http
    for prefixes, names in (
        (("torchvision://", "modelzoo://"), checkpoint.get_torchvision_models),
        (("openmmlab://", "open-mmlab://"), checkpoint.get_external_models),
        (("mmcls://",), checkpoint.get_mmcls_models),
    ):
        loader = checkpoint.CheckpointLoader._get_checkpoint_loader(prefixes[0])
        register(prefixes, _with_known_names(loader, names), force=True)


def load_from_local(filename: str, map_location: Any = None) -> Any:
    """Load a checkpoint file with weights-only protection.

    Args:
        filename: Path of the file; ``~`` is expanded. A published model
            (``.safetensors``) gives its weights, on the CPU, and its ``card``.
        map_location: As for :func:`torch.load`.

    Raises:
        FileNotFoundError: There is no such file.
        UnreadableCheckpointError: It is not a checkpoint, or is damaged.
        UnsafeCheckpointError: It holds what is not allowed; nothing was run.
    """
    return _load_local(filename, map_location, mmap=False)


def load_mapped(filename: str) -> Any:
    """As :func:`load_from_local`, on the CPU, with tensors left in the file.

    So a file can be looked at, and its checksums verified, without the time and memory
    of loading it. The tensors must not be used once the file has changed.
    """
    return _load_local(filename, "cpu", mmap=True)


def _load_local(filename: str, map_location: Any, mmap: bool) -> Any:
    path = os.path.expanduser(filename)
    if os.path.isdir(path):
        raise FileNotFoundError(f"{path} is a folder; name a checkpoint file in it")
    if not os.path.isfile(path):
        raise FileNotFoundError(f"no checkpoint at {path}")
    if path.endswith(ENDING):
        return _load_model_file(path)
    is_archive = _require_torch_file(path)
    try:
        if is_archive:
            return _with_plain_arrays(_load_weights_only(path, map_location, mmap))
        with BoundedFile(path) as file:  # an archive's members are bounded by its size
            return _with_plain_arrays(_load_weights_only(file, map_location, False))
    except (pickle.UnpicklingError, RefusedPickleError) as error:
        raise _refusal(path, error) from error
    except Exception as error:  # damaged files raise nearly any type
        raise UnreadableCheckpointError(
            f"the checkpoint {path} cannot be read ({type(error).__name__}: {error}); "
            "if it is damaged, copy or download it again"
        ) from error


def _load_model_file(path: str) -> dict[str, Any]:
    try:
        card, state_dict = read_model_file(path)
    except UnreadableModelError as error:
        raise UnreadableCheckpointError(str(error)) from error
    return dict(state_dict=state_dict, card=card)


def load_from_http(
    filename: str,
    map_location: Any = None,
    model_dir: str | None = None,
) -> Any:
    """Download a checkpoint, once per machine, and load it as :func:`load_from_local`.

    A download that does not load is deleted, so that the next try repeats it.

    Args:
        filename: The http(s) address.
        map_location: As for :func:`torch.load`.
        model_dir: Folder of the download, torch's cache by default.

    Raises:
        ConnectionError: It cannot be downloaded; says where to put the file instead.
        UnreadableCheckpointError: As :func:`load_from_local`.
        UnsafeCheckpointError: As :func:`load_from_local`.
    """
    import torch
    from mmengine.dist import barrier, get_local_rank

    folder = model_dir or os.path.join(torch.hub.get_dir(), "checkpoints")
    path = _cached(filename, folder)
    try:
        if get_local_rank() == 0 and not os.path.exists(path):
            os.makedirs(folder, exist_ok=True)
            _download(filename, path)
    finally:  # where it fails, the others are not left to wait
        barrier()
    try:
        return load_from_local(path, map_location)
    except (UnreadableCheckpointError, UnsafeCheckpointError) as error:
        raise type(error)(f"{error}. {_forget(path, filename)}") from error


def _cached(url: str, folder: str) -> str:
    """Where the download of an address is kept: each address has a name of its own.

    A file that another program left under the plain name is taken if the name ends in
    a hash, as torch's and OpenMMLab's do (``resnet50-0676ba61.pth``: the first digits
    of the content's SHA-256), and the content has it.
    """
    shared = _shared(url, folder)
    named = re.search(r"-([0-9a-f]{8,64})\.\w+$", shared)
    if named and os.path.isfile(shared) and _sha256(shared).startswith(named[1]):
        return shared
    stem, ending = os.path.splitext(shared)
    return f"{stem}-{hashlib.sha256(url.encode()).hexdigest()[:16]}{ending}"


def _shared(url: str, folder: str) -> str:
    return os.path.join(folder, os.path.basename(urlparse(url).path))


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _forget(path: str, url: str) -> str:
    """Delete a download; says what was done. Other programs' files are left alone."""
    if path == _shared(url, os.path.dirname(path)):
        return f"It is taken for {url}; delete it to have that downloaded"
    with contextlib.suppress(FileNotFoundError):  # another process was faster
        os.remove(path)
    return f"It came from {url} and was deleted: the next try downloads it again"


def load_from_elsewhere(filename: str, map_location: Any = None) -> Any:
    """Refuse an address whose file cannot be looked at before torch reads it.

    Raises:
        ValueError: Always.
    """
    raise ValueError(
        f"checkpoints are not read from {filename}; download it and name the file"
    )


def _with_known_names(
    loader: Callable[..., Any], names: Callable[[], Iterable[str]]
) -> Callable[..., Any]:
    """MMEngine's loader of models by name, with an error for a mistyped one."""

    @functools.wraps(loader)  # MMEngine logs its name
    def load(filename: str, map_location: Any = None) -> Any:
        try:
            return loader(filename, map_location)
        except KeyError as error:
            scheme, _, name = filename.partition("://")
            near = difflib.get_close_matches(name, names(), n=3, cutoff=0.5)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            raise ValueError(
                f"{filename}: no model of {scheme}:// is called {name!r}{hint}"
            ) from error

    return load


def save_weights(state_dict: Mapping[str, Any], path: str, config: str) -> None:
    """Save the weights of a model, as a checkpoint that MMEngine loads.

    Args:
        state_dict: The weights.
        path: The file.
        config: The config's text, as a training keeps it.
    """
    import torch

    meta = dict(mmpar_version=__version__, cfg=config)
    content = dict(state_dict=state_dict, meta=meta)
    with atomic_path(path) as part:
        torch.save(content, part)


def _download(url: str, path: str) -> None:
    import torch

    try:
        torch.hub.download_url_to_file(url, path, progress=os.isatty(0))
    except (OSError, RuntimeError) as error:  # no network, no space
        raise ConnectionError(
            f"{url} cannot be downloaded ({error}). Without a network, download it "
            f"elsewhere and put it at {path}, or name a local file instead of the "
            "address; pre-trained weights are switched off by --cfg-options "
            "model.backbone.init_cfg=None"
        ) from error


def _require_torch_file(path: str) -> bool:
    """Refuse what torch.save has not written, before torch looks at it.

    Returns:
        Whether it is a zip archive; else it is of the format before torch 1.6.

    Raises:
        UnreadableCheckpointError: Another kind of file, or a damaged archive.
        UnsafeCheckpointError: A TorchScript program. ``torch.load`` before 2.6 runs
            it, protection or not (CVE-2025-32434).
    """
    with open(path, "rb") as file:
        head = file.read(HEAD_BYTES)
    if head.startswith(_ZIP_MAGIC):
        _require_torch_archive(path)
        return True
    if _LEGACY_MAGIC not in head[:64]:
        found = describe_unreadable(head, os.path.getsize(path))
        if head[8:10] == b'{"':
            found = f"is a safetensors file, whose name must end in {ENDING}"
        found = found or "has a format that torch.load does not read"
        raise UnreadableCheckpointError(
            f"the checkpoint {path} {found}; expected a file that torch.save wrote"
        )
    return False


def _require_torch_archive(path: str) -> None:
    try:
        with opened_zip(path) as archive:
            _require_torch_members(path, archive.infolist())
            damaged = damaged_member(archive)  # torch does not look at the checksums
    except zipfile.BadZipFile as error:
        raise UnreadableCheckpointError(
            f"the checkpoint {path} is not whole ({error}): writing or copying it "
            "broke off; take another, or copy or download it again"
        ) from error
    if damaged is not None:
        raise UnreadableCheckpointError(
            f"the checkpoint {path} is damaged: the checksum of {damaged} differs; "
            "take another, or copy or download it again"
        )


def _require_torch_members(path: str, members: list[zipfile.ZipInfo]) -> None:
    inner = {member.filename.split("/", 1)[-1] for member in members}
    if any(name == "constants.pkl" or name.startswith("code/") for name in inner):
        raise UnsafeCheckpointError(
            f"the checkpoint {path} was refused: it is a TorchScript program, which "
            "runs when it is loaded. Save the weights alone where it was made: "
            "torch.save(model.state_dict(), ...)"
        )
    packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
    if "data.pkl" not in inner or packed:
        first = ", ".join(sorted(member.filename for member in members)[:3])
        raise UnreadableCheckpointError(
            f"the checkpoint {path} is a zip archive, but not one that torch.save "
            f"wrote (it holds {first}); if the checkpoint is in it, unpack it"
        )


def _types_in_checkpoints() -> dict[str, Any]:
    """Full name in a checkpoint to what it gets for it."""
    from mmengine.logging.history_buffer import HistoryBuffer

    types: dict[str, Any] = {
        "mmengine.logging.history_buffer.HistoryBuffer": HistoryBuffer,
        "numpy.ndarray": NDARRAY,
        "numpy.dtype": Maker(PickledNumberKind),
        "_codecs.encode": Maker(encode),
        # The arguments that MAE, DINO and what is built on them (HAP, SOLIDER) keep.
        "argparse.Namespace": argparse.Namespace,
    }
    for builtins in ("builtins", "__builtin__"):
        # How pickle refers to the statistics methods that a log buffer carries.
        types[f"{builtins}.getattr"] = Maker(_history_buffer_method)
        types[f"{builtins}.bytes"] = Maker(no_bytes)
    # A checkpoint may come from a machine with the other numpy, whose path differs.
    for core in ("numpy.core", "numpy._core"):
        types[f"{core}.multiarray._reconstruct"] = Maker(empty_array)
        types[f"{core}.multiarray.scalar"] = Maker(scalar)
    # torch fills only objects of allowed types. No file can name these two, as a name
    # in a file ends at the line's end; so none can make one but by the entries above.
    types["\nPickledArray"] = PickledArray
    types["\nPickledNumberKind"] = PickledNumberKind
    return types


def _history_buffer_method(owner: Any, name: str) -> Any:
    """Stands in for ``getattr`` in checkpoints, for a log buffer's statistics only."""
    from mmengine.logging.history_buffer import HistoryBuffer

    allowed = ("mean", "max", "min", "current")
    if owner is not HistoryBuffer or name not in allowed:
        raise RefusedPickleError(f"getattr of {name!r} from {owner!r}")
    return getattr(HistoryBuffer, name)


def _with_plain_arrays(loaded: Any) -> Any:
    """What was loaded, with NumPy's own arrays for the checked ones.

    Containers are changed in place, so that what they carry besides (the versions in a
    state dict) stays.
    """
    from mmengine.logging.history_buffer import HistoryBuffer

    seen: set[int] = set()

    def plain(value: Any) -> Any:
        if isinstance(value, PickledArray):
            return np.asarray(value)
        if isinstance(value, tuple) and type(value) is tuple:
            return tuple(plain(item) for item in value)
        if id(value) in seen:
            return value
        seen.add(id(value))
        if isinstance(value, HistoryBuffer):
            plain(vars(value))
        elif isinstance(value, dict):
            for key, item in value.items():
                value[key] = plain(item)
        elif isinstance(value, list):
            value[:] = map(plain, value)
        return value

    return plain(loaded)


@functools.cache
def _allow_types() -> None:
    """Have torch's protection take the types that the Runner writes."""
    import torch

    if _torch_takes_named_types():
        types = _types_in_checkpoints()
        torch.serialization.add_safe_globals(
            [(allowed, name) for name, allowed in types.items()]
        )


def _torch_takes_named_types() -> bool:
    """Whether torch's protection can be given types, also under a second name."""
    import torch
    from mmengine.utils import digit_version

    return digit_version(torch.__version__) >= digit_version("2.6.0")


def _load_weights_only(file: str | BoundedFile, map_location: Any, mmap: bool) -> Any:
    import torch

    if _torch_takes_named_types():
        _allow_types()  # this module may be all of mmpar that was imported
        return torch.load(file, map_location=map_location, weights_only=True, mmap=mmap)
    return _load_with_allow_list(file, map_location, mmap)


def _load_with_allow_list(
    file: str | BoundedFile, map_location: Any, mmap: bool
) -> Any:
    """The same protection for torch before 2.6, whose own takes no further objects.

    Python's unpickler with only torch's own list of types and ours to find.
    """
    import torch

    # A private module of torch; imported so as its stubs do not list it.
    unpickling = importlib.import_module("torch._weights_only_unpickler")
    allowed = {
        **unpickling._get_allowed_globals(),
        # Newer ones take it; a schedule keeps its milestones in one.
        "collections.Counter": Counter,
        **_types_in_checkpoints(),
    }

    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            if f"{module}.{name}" not in allowed:
                raise pickle.UnpicklingError(f"Unsupported class {module}.{name}")
            return allowed[f"{module}.{name}"]

    restricted = ModuleType("restricted_pickle")
    restricted.__dict__.update(
        Unpickler=Unpickler,
        UnpicklingError=pickle.UnpicklingError,
        load=lambda file, **kwargs: Unpickler(file, **kwargs).load(),
    )
    return torch.load(
        file,
        map_location=map_location,
        pickle_module=restricted,
        weights_only=False,  # the restricted unpickler takes its place
        mmap=mmap,
    )


def _refusal(path: str, error: Exception) -> Exception:
    """The error of a checkpoint with forbidden types, or with a broken pickle."""
    # torch's own message, which wraps its unpickler's, says how to switch it off.
    reason = str(error.__context__ or error).split("\n")[0]
    found = ", ".join(_forbidden_types(path, reason))
    if isinstance(error, RefusedPickleError):
        found = reason
    if not found:
        return UnreadableCheckpointError(
            f"the checkpoint {path} is damaged, or not one that torch.save wrote "
            f"({reason}); copy or download it again"
        )
    return UnsafeCheckpointError(
        f"the checkpoint {path} was refused: it holds {found}, and loading such types "
        "can run any code. If you trust its source, save it again as plain tensors "
        "(torch.save(checkpoint['state_dict'], ...)) where it was made."
    )


def _forbidden_types(path: str, reason: str) -> list[str]:
    import torch

    listing = getattr(torch.serialization, "get_unsafe_globals_in_checkpoint", None)
    try:
        found = sorted(listing(path)) if listing else []
    except (ValueError, RuntimeError, EOFError, pickle.UnpicklingError):
        found = []  # the listing reads only whole zip checkpoints
    # torch's own message names the first one only.
    return found or re.findall(r"(?:GLOBAL|class) (\w+(?:\.\w+)+)", reason)[:1]
