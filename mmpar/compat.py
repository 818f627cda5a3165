"""What mmpar needs of the packages under it: which versions fit, what they can do."""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType

REQUIRED = {
    "torch": ("2.1.0", "3.0.0", "pip install torch torchvision"),
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
        module = _import(name, remedy)
        _check_version(module, minimum, limit, remedy)
        if name == "torch":
            _check_numpy(module)


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


def _check_numpy(torch: ModuleType) -> None:
    """torch before 2.3 is built for numpy 1, and fails with numpy 2 in the middle."""
    try:
        torch.zeros(1).numpy()
    except RuntimeError as error:
        numpy = importlib.import_module("numpy").__version__
        raise ImportError(
            f"torch {torch.__version__} cannot use numpy {numpy} ({error}); install "
            "numpy of before 2.0, or a newer torch: pip install 'numpy<2'"
        ) from error


def without_autocast(device: str) -> AbstractContextManager:
    """A context in which autocast is off, on a ``torch.device.type`` of any torch.

    ``torch.autocast`` refuses devices that it does not know, even to be switched off
    there: MPS before torch 2.5.
    """
    import torch

    try:
        return torch.autocast(device, enabled=False)
    except RuntimeError:
        return nullcontext()


def shards_on_cpu() -> bool:
    """Whether FSDP also runs without a GPU; that of torch 2.1 fails in the first step.

    It gives its streams a priority, which those of a CPU did not take.
    """
    import torch

    try:
        torch.cpu.Stream(priority=0)
    except TypeError:
        return False
    return True


def has_deepspeed() -> bool:
    """Whether MMEngine can train with DeepSpeed: it imports its one-bit optimizers.

    DeepSpeed 0.19.7 no longer has them.
    """
    if importlib.util.find_spec("deepspeed") is None:
        return False
    return importlib.util.find_spec("deepspeed.runtime.fp16.onebit") is not None
