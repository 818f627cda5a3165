"""ALM as published: a loop over attributes that samples every channel of every level.

Modules are named as in the released code, so the state dict has its keys.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEVELS = ("3b", "4d", "5b")


class Attention(nn.Module):
    """Channel attention of one attribute."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels // 16, 1)
        self.conv2 = nn.Conv2d(channels // 16, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        pooled = features.mean(dim=(2, 3), keepdim=True)
        return torch.sigmoid(self.conv2(torch.relu(self.conv1(pooled))))


class Level(nn.Module):
    """Attributes one after another at one level."""

    def __init__(self, num_attributes: int, channels: int, align_corners: bool) -> None:
        super().__init__()
        self.align_corners = align_corners
        count = range(num_attributes)
        self.fc_list = nn.ModuleList(nn.Linear(channels, 1) for _ in count)
        self.att_list = nn.ModuleList(Attention(channels) for _ in count)
        self.stn_list = nn.ModuleList(nn.Linear(channels, 4) for _ in count)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Logits ``(B, A)`` and affine matrices ``(B, A, 2, 3)``."""
        logits, matrices = [], []
        for fc, att, stn in zip(self.fc_list, self.att_list, self.stn_list):
            attended = features * att(features) + features
            matrix = affine_matrix(stn(attended.mean(dim=(2, 3))))
            grid = F.affine_grid(
                matrix, list(attended.shape), align_corners=self.align_corners
            )
            region = F.grid_sample(
                attended,
                grid,
                padding_mode="border",
                align_corners=self.align_corners,
            )
            logits.append(fc(region.mean(dim=(2, 3))))
            matrices.append(matrix)
        return torch.cat(logits, dim=1), torch.stack(matrices, dim=1)


def affine_matrix(numbers: Tensor) -> Tensor:
    """``(B, 2, 3)`` from scale x, y and shift x, y before their activations."""
    matrix = numbers.new_zeros(len(numbers), 2, 3)
    matrix[:, 0, 0] = torch.sigmoid(numbers[:, 0])
    matrix[:, 1, 1] = torch.sigmoid(numbers[:, 1])
    matrix[:, 0, 2] = torch.tanh(numbers[:, 2])
    matrix[:, 1, 2] = torch.tanh(numbers[:, 3])
    return matrix


class ALMLoop(nn.Module):
    """Pyramid and head on the stages of a backbone, finest first."""

    def __init__(
        self,
        num_attributes: int,
        stage_channels: tuple[int, int, int] = (320, 608, 1024),
        channels: int = 256,
        align_corners: bool = True,
    ) -> None:
        super().__init__()
        for place, (level, inputs) in enumerate(zip(LEVELS, stage_channels)):
            width = channels * (len(LEVELS) - place)
            self.add_module(f"latlayer_{level}", nn.Conv2d(inputs, channels, 1))
            self.add_module(f"st_{level}", Level(num_attributes, width, align_corners))
        self.finalfc = nn.Linear(stage_channels[-1], num_attributes)

    def levels(self, stages: list[Tensor]) -> list[Tensor]:
        """The concatenated levels, finest first."""
        built: list[Tensor] = []
        for level, stage in reversed(list(zip(LEVELS, stages))):
            lateral = getattr(self, f"latlayer_{level}")(stage)
            if built:
                upsampled = F.interpolate(
                    built[0],
                    lateral.shape[2:],
                    mode="bilinear",
                    align_corners=False,
                )
                lateral = torch.cat([upsampled, lateral], dim=1)
            built.insert(0, lateral)
        return built

    def forward(self, stages: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Logits of the three levels and the global ones; matrices of the levels."""
        read = [
            getattr(self, f"st_{level}")(features)
            for level, features in zip(LEVELS, self.levels(stages))
        ]
        top = self.finalfc(stages[-1].mean(dim=(2, 3)))
        return [logits for logits, _ in read] + [top], [matrix for _, matrix in read]


def sampled_box(
    matrix: Tensor, size: tuple[int, int], align_corners: bool
) -> list[float]:
    """(x1, y1, x2, y2), shares of the image, of one ``(2, 3)`` matrix.

    From the sampling points themselves: each stands for a cell that reaches half way to
    its neighbours.
    """
    height, width = size
    shape = [1, 1, height, width]
    grid = F.affine_grid(matrix.detach()[None], shape, align_corners)[0]
    edges = []
    for points, pixels in ((grid[0, :, 0], width), (grid[:, 0, 1], height)):
        if align_corners:
            points = (points + 1) / 2 * (pixels - 1)
        else:
            points = ((points + 1) * pixels - 1) / 2
        half = float(points[1] - points[0]) / 2
        low, high = float(points[0]) - half, float(points[-1]) + half
        edges.append([(low + 0.5) / pixels, (high + 0.5) / pixels])
    (x1, x2), (y1, y2) = edges
    return [min(max(edge, 0.0), 1.0) for edge in (x1, y1, x2, y2)]
