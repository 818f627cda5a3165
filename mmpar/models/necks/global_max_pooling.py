"""The largest value of each channel."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from mmpar.registry import MODELS


@MODELS.register_module()
class GlobalMaxPooling(nn.Module):
    """As mmpretrain's ``GlobalAveragePooling``, with the largest value for the mean."""

    def forward(self, stages: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """``(B, C)`` for each stage ``(B, C, H, W)``."""
        return tuple(stage.amax(dim=(2, 3)) for stage in stages)
