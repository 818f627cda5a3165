"""Training in bfloat16 where the device computes in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper
from torch import nn

from mmpar.compat import without_autocast
from mmpar.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Layers compute in bfloat16; weights, losses and the optimizer stay in float32.

    Unlike MMEngine's ``AmpOptimWrapper`` it works on CPUs too, and scales no loss, as
    bfloat16 has the range of float32. On a device without instructions for it, where it
    would be several times slower, training is in float32, and the log says so.

    Args:
        **kwargs: As for ``OptimWrapper``.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.device = get_device()
        self.enabled = computes_in_bfloat16(self.device)
        layers = "bfloat16" if self.enabled else "float32, it has no bfloat16"
        print_log(f"Layers are trained on {self.device} in {layers}", "current")

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """As ``OptimWrapper``'s, with autocast."""
        autocast: AbstractContextManager = without_autocast(self.device)
        if self.enabled:
            autocast = torch.autocast(self.device, torch.bfloat16)
        with super().optim_context(model), autocast:
            yield


def computes_in_bfloat16(device: str) -> bool:
    """Whether this machine's ``'cpu'`` or ``'cuda'`` has instructions for bfloat16.

    Those of x86 are known from torch 2.4 on; before, and on others, the answer is no.
    """
    if device == "cuda":
        ampere = (8, 0)
        return bool(torch.version.hip) or torch.cuda.get_device_capability() >= ampere
    known = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    asked = [getattr(torch.cpu, name, lambda: False) for name in known]
    return device == "cpu" and any(supported() for supported in asked)


def mixed_precision(device: str) -> str:
    """The type of ``optim_wrapper`` for mixed precision on a device.

    bfloat16 where there are instructions for it, float16 with a scaled loss on other
    GPUs.

    Raises:
        ValueError: A device that would be slower by it.
    """
    if computes_in_bfloat16(device):
        return "BFloat16OptimWrapper"
    if device == "cuda":
        return "AmpOptimWrapper"
    raise ValueError(
        f"mixed precision on {device}, which has no instructions for bfloat16, would "
        "be slower than float32; train without --amp"
    )
