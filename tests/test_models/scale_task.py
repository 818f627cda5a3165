"""A task of which each region's answer shows in one pyramid level only."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmpar.models import SSPNetHead, SSPNetNeck

CHANNELS = 6
SIZES = ((16, 8), (8, 4), (4, 2), (2, 2))
SCHEMA = dict(
    names=("Hat", "Boots"), groups=dict(head=("Hat",), foot=("Boots",)), title="two"
)
REGIONS = dict(
    top=dict(rows=(0.0, 0.5), groups=("head",)),
    bottom=dict(rows=(0.5, 1.0), groups=("foot",)),
)


class ScaleModel(nn.Module):
    """Neck and head on stages that are given; laterals and smoothing leave P as C.

    The pyramid is the identity plus what comes from above and is not trained, so that
    it cannot clean a level of the noise that hides the answer there.
    """

    def __init__(self) -> None:
        super().__init__()
        self.neck = SSPNetNeck(
            (CHANNELS,) * len(SIZES),
            REGIONS,
            out_channels=CHANNELS,
            scale=dict(mode="learned"),
            ple=dict(type="IdentityPLE"),
        )
        self.head = SSPNetHead(SCHEMA, REGIONS, in_channels=CHANNELS, dropout=0.0)
        for conv in (*self.neck.pyramid.laterals, *self.neck.pyramid.smooths):
            nn.init.dirac_(conv.weight)
            conv.requires_grad_(False)

    def forward(self, stages: list[Tensor]) -> Tensor:
        return self.head(self.neck(stages))


def scale_batch(
    levels: tuple[int, int], generator: torch.Generator, batch: int = 32
) -> tuple[list[Tensor], Tensor]:
    """Stages and labels ``(B, 2)``; a positive has a mark of 4 in channel 0.

    It stands in its region's half of its level, anywhere; finer stages have strong
    noise there, which hides what comes down the pyramid.
    """
    labels = torch.randint(2, (batch, 2), generator=generator).float()
    stages = [
        torch.randn((batch, CHANNELS, *size), generator=generator) * 0.5
        for size in SIZES
    ]
    for region, level in enumerate(levels):
        height, width = SIZES[level]
        rows = torch.randint(height // 2, (batch,), generator=generator)
        columns = torch.randint(width, (batch,), generator=generator)
        rows = rows + region * (height // 2)
        stages[level][torch.arange(batch), 0, rows, columns] += 4 * labels[:, region]
        for finer, (finer_height, _) in zip(stages[:level], SIZES):
            half = slice(region * finer_height // 2, (region + 1) * finer_height // 2)
            finer[:, :, half] *= 12
    return stages, labels


def train(
    model: ScaleModel, levels: tuple[int, int], seed: int, steps: int, before_step
) -> None:
    """Train head and scales by Adam; ``before_step(i)`` stands for the hooks."""
    generator = torch.Generator().manual_seed(seed)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=0.02)
    for step in range(steps):
        before_step(step)
        stages, labels = scale_batch(levels, generator)
        loss = F.binary_cross_entropy_with_logits(model(stages), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
