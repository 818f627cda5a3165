"""ResNet-IBN-a: instance and batch normalization side by side."""

from __future__ import annotations

from typing import Any

import torch
from mmpretrain.models.backbones import ResNet
from torch import Tensor, nn

from mmpar.registry import MODELS

IBN_STAGES = 3
"""Stages, from the first, whose blocks have it; the deepest has batch normalization
alone."""


class InstanceBatchNorm(nn.Module):
    """Instance normalization of the first half of the channels, batch of the others.

    Its parts are named as in the public weights.

    >>> InstanceBatchNorm(6)(torch.rand(2, 6, 4, 4)).shape
    torch.Size([2, 6, 4, 4])

    Args:
        channels: C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.num_instance = channels // 2
        self.IN = nn.InstanceNorm2d(self.num_instance, affine=True)
        self.BN = nn.BatchNorm2d(channels - self.num_instance)

    def forward(self, x: Tensor) -> Tensor:
        """Normalize ``(B, C, H, W)``."""
        instance, batch = x.split(
            (self.num_instance, x.shape[1] - self.num_instance), dim=1
        )
        return torch.cat((self.IN(instance), self.BN(batch)), dim=1)


@MODELS.register_module()
class ResNetIBN(ResNet):
    """mmpretrain's ``ResNet`` with IBN-a: the first normalization of a block is split.

    Contrast and colours of an image, which its instance statistics carry, then count
    less, and a model transfers better to other cameras. Weights load from the public
    files as they are.

    Source: Pan et al., "Two at Once: Enhancing Learning and Generalization Capacities
    via IBN-Net", arXiv 1807.09441; https://github.com/XingangPan/IBN-Net.

    Args:
        depth: 18, 34, 50, 101 or 152.
        **kwargs: As for ``ResNet``.
    """

    def __init__(self, depth: int, **kwargs: Any) -> None:
        super().__init__(depth, **kwargs)
        for name in self.res_layers[:IBN_STAGES]:
            for block in getattr(self, name):
                channels = block.norm1.num_features
                setattr(block, block.norm1_name, InstanceBatchNorm(channels))
        self._freeze_stages()
