"""The neck of SSPNet: feature pyramid, scale and place priors, one feature a region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.model import BaseModule
from torch import Tensor

from mmpar.models.layers import FeaturePyramid, PriorLocationExtraction
from mmpar.registry import MODELS
from mmpar.structures import build_regions


@MODELS.register_module()
class SSPNetNeck(BaseModule):
    """Feature pyramid + adaptive feature scale selection + prior location extraction.

    Every region is cut out of the pyramid level that suits its attributes (the scale
    prior, AFSS, fixed as in the released code) and passed through one PLE module that
    all regions share (the place prior).

    Source: SSPNet, arXiv 2312.06049.

    Args:
        in_channels: Channels of the backbone's stages, finest first.
        regions: Region name to ``dict(level, rows, groups)``, see
            :class:`mmpar.structures.Region`; the head gets the same.
        out_channels: C, channels of the pyramid.
        num_points: K, sampling points of PLE.
        grid_convention: See :class:`PriorLocationExtraction`.
        init_cfg: As for every MMEngine module.

    Raises:
        ValueError: A region reads a level that the pyramid does not have.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        regions: Mapping[str, Mapping[str, Any]],
        out_channels: int = 256,
        num_points: int = 3,
        grid_convention: str = "pixel_centre",
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.regions = build_regions(regions)
        self.num_levels = len(in_channels)
        for region in self.regions:
            if region.level > self.num_levels:
                raise ValueError(
                    f"region {region.name!r} reads level P{region.level}, but the "
                    f"pyramid has P1 to P{self.num_levels} (in_channels="
                    f"{list(in_channels)})"
                )
        self.pyramid = FeaturePyramid(in_channels, out_channels)
        self.ple = PriorLocationExtraction(out_channels, num_points, grid_convention)

    def forward(self, stages: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Region features from backbone features.

        Args:
            stages: ``(B, C_l, H_l, W_l)``, finest first.

        Returns:
            Per region, in the order of the config, ``(B, C, rows, W_l)``.

        Raises:
            ValueError: The backbone gives another number of stages than in_channels.
        """
        if len(stages) != self.num_levels:
            raise ValueError(
                f"the neck has in_channels for {self.num_levels} stages, but the "
                f"backbone gives {len(stages)}; set the backbone's out_indices"
            )
        levels = [region.level - 1 for region in self.regions]
        bands = [
            region.row_range(stages[level].shape[2])
            for region, level in zip(self.regions, levels)
        ]
        rows: dict[int, tuple[int, int]] = {}
        for level, (start, stop) in zip(levels, bands):
            known = rows.get(level, (start, stop))
            rows[level] = (min(known[0], start), max(known[1], stop))
        pyramid = self.pyramid(stages, rows)
        return tuple(
            self.ple(
                pyramid[level][:, :, start - rows[level][0] : stop - rows[level][0]]
            )
            for level, (start, stop) in zip(levels, bands)
        )
