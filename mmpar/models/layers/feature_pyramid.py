"""A feature pyramid that computes only the requested rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from mmengine.model import xavier_init
from torch import Tensor, nn

Rows = tuple[int, int]


class FeaturePyramid(nn.Module):
    """1x1 laterals, bilinear top-down sums, 3x3 smoothing of all but the top level.

    Level l (P1 the finest) is ``smooth(lateral(C_l) + upsample(level l + 1))``; the
    coarsest is its lateral alone, unsmoothed, as in the released SSPNet (Lin et al.,
    "Feature Pyramid Networks", with bilinear upsampling). The smoothing is nearly all
    of the cost, so only the rows that are read are smoothed, and a level that is not
    read is not computed.

    Weights begin as Glorot and Bengio's, which keep the variance of a layer without a
    ReLU after it. The official code's (He et al., by the outputs) multiply it at the
    coarsest level by up to 20.

    Args:
        in_channels: Channels of the backbone's stages, finest first.
        out_channels: C, of every level.
    """

    def __init__(self, in_channels: Sequence[int], out_channels: int) -> None:
        super().__init__()
        if len(in_channels) < 2:
            raise ValueError(
                "a feature pyramid needs at least two stages, got in_channels="
                f"{list(in_channels)}"
            )
        self.laterals = nn.ModuleList(
            nn.Conv2d(c, out_channels, 1) for c in in_channels
        )
        self.smooths = nn.ModuleList(
            nn.Conv2d(out_channels, out_channels, 3, padding=1) for _ in in_channels[1:]
        )
        for conv in [*self.laterals, *self.smooths]:
            xavier_init(conv, distribution="uniform")

    def forward(
        self, stages: Sequence[Tensor], rows: Mapping[int, Rows]
    ) -> dict[int, Tensor]:
        """Compute rows ``start`` to ``stop`` of some levels.

        Args:
            stages: Backbone features ``(B, C_l, H_l, W_l)``, finest first.
            rows: Level (0 the finest) to the rows to compute.

        Returns:
            Level to ``(B, C, stop - start, W_l)``, for the levels in ``rows``.
        """
        finest = min(rows)
        outputs: dict[int, Tensor] = {}
        coarser: Tensor | None = None
        for level in reversed(range(finest, len(stages))):
            stage = stages[level]
            height = stage.shape[2]
            # Nothing finer is built on the finest level that is read, so there the
            # laterals and sums are cut as well; coarser ones are needed whole.
            kept = _with_halo(rows[level], height) if level == finest else (0, height)
            band = stage[:, :, slice(*kept)]
            # Convolutions and upsampling are up to three times faster in this layout.
            band = band.contiguous(memory_format=torch.channels_last)
            merged = self.laterals[level](band)
            if coarser is not None:
                size = (height, stage.shape[3])
                merged += _upsample_rows(coarser, size, kept)
            if level in rows:
                outputs[level] = self._smooth(
                    level, merged, kept[0], rows[level], height
                )
            coarser = merged
        return outputs

    def _smooth(
        self, level: int, merged: Tensor, first_row: int, rows: Rows, height: int
    ) -> Tensor:
        """Rows of the smoothed level; ``merged`` begins at ``first_row``."""
        start, stop = rows
        if level == len(self.smooths):
            return merged[:, :, start - first_row : stop - first_row]
        top, bottom = _with_halo(rows, height)
        smoothed = self.smooths[level](
            merged[:, :, top - first_row : bottom - first_row]
        )
        # At a cut edge the convolution's zero padding spoils the row of the halo only.
        return smoothed[:, :, start - top : stop - top]


def _with_halo(rows: Rows, height: int) -> Rows:
    """The rows that a 3x3 convolution reads to compute ``rows``."""
    return max(rows[0] - 1, 0), min(rows[1] + 1, height)


def _upsample_rows(coarser: Tensor, size: tuple[int, int], rows: Rows) -> Tensor:
    """Rows ``start`` to ``stop`` of ``coarser`` upsampled bilinearly to ``size``."""
    upsampled = F.interpolate(coarser, size=size, mode="bilinear", align_corners=False)
    return upsampled[:, :, slice(*rows)]
