"""A plain ViT whose one map is rescaled to a pyramid, after ViTDet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmpretrain.models.backbones import VisionTransformer
from mmpretrain.models.utils import LayerNorm2d
from torch import Tensor, nn

from mmpar.registry import MODELS


@MODELS.register_module()
class ViTPyramid(VisionTransformer):
    """mmpretrain's ``VisionTransformer`` with maps of the strides 4, 8, 16 and 32.

    All are made from the last map, of stride 16: the finer ones by transposed
    convolutions of stride 2, which halve the channels, the coarsest by max pooling. The
    1x1 and 3x3 convolutions that follow in the paper are left to the method: SSPNet's
    neck and ALM's head have their own.

    The ViT's weights load as they are; the log then says that those of ``levels`` are
    missing, as they are new.

    Source: the simple feature pyramid of Li et al., "Exploring Plain Vision Transformer
    Backbones for Object Detection", arXiv 2203.16527.

    Args:
        out_indices: Maps to return, of 0 (stride 4, C / 4 channels), 1 (stride 8,
            C / 2), 2 (the ViT's own, C) and 3 (stride 32, C).
        **kwargs: As for ``VisionTransformer``; ``patch_size`` is 16, ``out_type`` is
            not to be given.

    Raises:
        ValueError: An index is none of these, or ``patch_size`` is not 16.
    """

    def __init__(
        self, out_indices: Sequence[int] = (0, 1, 2, 3), **kwargs: Any
    ) -> None:
        if not out_indices or not all(0 <= index <= 3 for index in out_indices):
            raise ValueError(
                "out_indices are maps from 0 (stride 4) to 3 (stride 32), got "
                f"{tuple(out_indices)}"
            )
        if kwargs.get("patch_size", 16) != 16:
            raise ValueError(
                "the strides of the pyramid are those of patches of 16 pixels, got "
                f"patch_size={kwargs['patch_size']}"
            )
        super().__init__(out_type="featmap", **kwargs)
        self.levels = nn.ModuleDict(
            {str(index): _level(index, self.embed_dims) for index in out_indices}
        )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Maps of ``out_indices`` from ``(B, 3, H, W)``."""
        (tokens,) = super().forward(x)
        return tuple(level(tokens) for level in self.levels.values())


def _level(index: int, channels: int) -> nn.Module:
    """From the ViT's map ``(B, C, H, W)`` to that of an index."""
    if index == 3:
        return nn.MaxPool2d(2)
    if index == 2:
        return nn.Identity()
    doubled = nn.ConvTranspose2d(channels, channels // 2, 2, stride=2)
    if index == 1:
        return doubled
    return nn.Sequential(
        doubled,
        LayerNorm2d(channels // 2, eps=1e-6),
        nn.GELU(),
        nn.ConvTranspose2d(channels // 2, channels // 4, 2, stride=2),
    )
