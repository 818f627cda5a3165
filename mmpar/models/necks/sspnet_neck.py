"""SSPNet's neck: feature pyramid, scale and place priors, one feature per region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Union

import torch
from mmengine.model import BaseModule
from torch import Tensor

from mmpar.models.layers import (
    FeaturePyramid,
    LevelMixture,
    RegionFeatures,
    SamplingPoints,
    ScaleSelection,
)
from mmpar.registry import MODELS
from mmpar.structures import Region, build_regions

Keypoints = Union[Tensor, Sequence[Tensor]]


class _Band(NamedTuple):
    """A region's rows of a level: ``(B, C, rows, W)``."""

    region: Region
    level: int
    features: Tensor
    first_row: int
    level_height: int


@MODELS.register_module()
class SSPNetNeck(BaseModule):
    """Feature pyramid + adaptive feature scale selection + prior location extraction.

    Every region is cut out of the pyramid level that suits its attributes (the scale
    prior, AFSS) and passed through one PLE module that all regions share (the place
    prior).

    The levels are those of ``regions`` (``scale.mode='fixed'``, as in the released
    code) or learned with the task (``'learned'``, see :class:`ScaleSelection`; a level
    in ``regions`` has no meaning then). While they are learned, a region is read from
    all levels, and the head mixes what it has pooled from them by their weights. Maxima
    commute with factors that are not negative, so it is as if the maps were weighted,
    and takes less memory. In eval, and once the levels are frozen, a region is read
    from its best level alone, at the cost of the fixed mode.

    Source: SSPNet, arXiv 2312.06049.

    >>> head, body = dict(level=1, rows=(0, 0.25)), dict(level=2, rows=(0, 1))
    >>> regions = dict(head=head, body=body)
    >>> neck = SSPNetNeck((8, 16), regions, out_channels=4)
    >>> stages = [torch.rand(2, 8, 64, 32), torch.rand(2, 16, 32, 16)]
    >>> {name: tuple(feature.shape) for name, feature in neck(stages).items()}
    {'head': (2, 4, 16, 32), 'body': (2, 4, 32, 16)}

    Args:
        in_channels: Channels of the backbone's stages, finest first.
        regions: Region name to ``dict(rows, level, groups, ...)``, see
            :class:`mmpar.structures.Region`; as the head's.
        out_channels: C, channels of the pyramid.
        scale: ``dict(mode='fixed')`` or ``dict(mode='learned')``.
        ple: Config of the form of PLE: ``dict(type="BlockPLE", num_points=3)`` (the
            default), ``SparsePLE``, ``KeypointPLE`` or ``IdentityPLE``, see
            :mod:`mmpar.models.layers.prior_location_extraction`.
        init_cfg: As for every MMEngine module.

    Raises:
        ValueError: The mode is unknown, or a region reads no level or one that the
            pyramid does not have.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        regions: Mapping[str, Mapping[str, Any]],
        out_channels: int = 256,
        scale: Mapping[str, Any] | None = None,
        ple: Mapping[str, Any] | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.regions = build_regions(regions)
        self.num_levels = len(in_channels)
        self.scale_selection: ScaleSelection | None = None
        if _learned(**(scale or {})):
            self.scale_selection = ScaleSelection(
                [region.name for region in self.regions], self.num_levels
            )
        else:
            self._check_levels(in_channels)
        self.pyramid = FeaturePyramid(in_channels, out_channels)
        self.ple = _build_ple(ple or {}, out_channels)

    @property
    def needs_keypoints(self) -> bool:
        """Whether :meth:`forward` needs the body's keypoints."""
        return self.ple.needs_keypoints

    @property
    def is_searching(self) -> bool:
        """Whether a region is read from all levels, as long as scales are learned."""
        scales = self.scale_selection
        return self.training and scales is not None and not scales.frozen

    def levels(self) -> dict[str, int]:
        """The level of each region, 0 the finest; the best so far while learning."""
        if self.scale_selection is not None:
            levels: Sequence[int] = self.scale_selection.levels()
        else:
            levels = [(region.level or 0) - 1 for region in self.regions]
        return {region.name: level for region, level in zip(self.regions, levels)}

    def keep_regions(self, names: Sequence[str]) -> None:
        """Read the regions of these names alone."""
        self.regions = tuple(r for r in self.regions if r.name in names)
        if self.scale_selection is not None:
            self.scale_selection.keep(names)

    def fix_levels(self) -> None:
        """Read each region from its chosen level for good, as with fixed scales.

        The results in eval stay the same; what was learned of the scales is dropped.
        """
        levels = self.levels()
        self.regions = tuple(
            replace(region, level=levels[region.name] + 1) for region in self.regions
        )
        self.scale_selection = None

    def forward(
        self, stages: Sequence[Tensor], keypoints: Keypoints | None = None
    ) -> dict[str, RegionFeatures]:
        """Region features from backbone features.

        Args:
            stages: ``(B, C_l, H_l, W_l)``, finest first.
            keypoints: For the keypoint form of PLE: x, y in fractions of the stage's
                map and visibility, in COCO's order, ``(B, 17, 3)`` for each stage, or
                once for all.

        Returns:
            Region name to ``(B, C, rows, W_l)``, or what PLE makes of that; while
            scales are learned, a :class:`LevelMixture` of these.

        Raises:
            ValueError: The backbone does not give as many stages as in_channels, or
                keypoints are needed and missing.
        """
        if not self.is_searching:
            return {
                band.region.name: self._locate(band, keypoints)
                for band in self._chosen_bands(stages)
            }
        assert self.scale_selection is not None
        everywhere = [tuple(range(self.num_levels))] * len(self.regions)
        weights = self.scale_selection.weights()
        return {
            region.name: LevelMixture(
                tuple(self._locate(band, keypoints) for band in bands), shares
            )
            for region, bands, shares in zip(
                self.regions, self._bands(stages, everywhere), weights
            )
        }

    def sampling_points(
        self, stages: Sequence[Tensor], keypoints: Keypoints | None = None
    ) -> dict[str, SamplingPoints]:
        """Where PLE looks, per region, at the region's (best) level.

        Args:
            stages: As in :meth:`forward`.
            keypoints: As in :meth:`forward`.

        Returns:
            The sampling points of each region by its name, in cells of its rows of the
            level's map.
        """
        return {
            band.region.name: self.ple.sampling_points(*self._read(band, keypoints))
            for band in self._chosen_bands(stages)
        }

    def _check_levels(self, in_channels: Sequence[int]) -> None:
        for region in self.regions:
            if region.level is None:
                raise ValueError(
                    f"region {region.name!r} has no level; give it one of 1 to "
                    f"{self.num_levels}, or have it learned: scale=dict(mode='learned')"
                )
            if region.level > self.num_levels:
                raise ValueError(
                    f"region {region.name!r} reads level P{region.level}, but the "
                    f"pyramid has P1 to P{self.num_levels} (in_channels="
                    f"{list(in_channels)})"
                )

    def _chosen_bands(self, stages: Sequence[Tensor]) -> list[_Band]:
        """The band of each region from its one level."""
        levels = [(level,) for level in self.levels().values()]
        return [band for (band,) in self._bands(stages, levels)]

    def _bands(
        self, stages: Sequence[Tensor], levels: Sequence[tuple[int, ...]]
    ) -> list[list[_Band]]:
        """The bands of each region from each of its levels, from one pyramid."""
        if len(stages) != self.num_levels:
            raise ValueError(
                f"the neck has in_channels for {self.num_levels} stages, but the "
                f"backbone gives {len(stages)}; set the backbone's out_indices"
            )
        heights = [stage.shape[2] for stage in stages]
        rows: dict[int, tuple[int, int]] = {}
        for region, own_levels in zip(self.regions, levels):
            for level in own_levels:
                start, stop = region.row_range(heights[level])
                known = rows.get(level, (start, stop))
                rows[level] = (min(known[0], start), max(known[1], stop))
        pyramid = self.pyramid(stages, rows)
        bands: list[list[_Band]] = []
        for region, own_levels in zip(self.regions, levels):
            bands.append([])
            for level in own_levels:
                start, stop = region.row_range(heights[level])
                first = rows[level][0]
                features = pyramid[level][:, :, start - first : stop - first]
                bands[-1].append(_Band(region, level, features, start, heights[level]))
        return bands

    def _locate(self, band: _Band, keypoints: Keypoints | None) -> Tensor:
        return self.ple(*self._read(band, keypoints))

    def _read(self, band: _Band, keypoints: Keypoints | None) -> list[Tensor]:
        """What PLE is called with."""
        if self.needs_keypoints:
            return [band.features, _keypoints_on(band, keypoints)]
        return [band.features]


_PLE_OF_KIND = {
    "block": "BlockPLE",
    "sparse": "SparsePLE",
    "keypoint": "KeypointPLE",
    "none": "IdentityPLE",
}


def _build_ple(cfg: Mapping[str, Any], channels: int) -> Any:
    if "kind" in cfg:
        ple = _PLE_OF_KIND.get(cfg["kind"], "BlockPLE")
        raise ValueError(
            f"model.neck.ple has kind={cfg['kind']!r}, but forms of PLE are named by "
            f"type: write ple=dict(type={ple!r}, ...), with _delete_=True where the "
            "inherited ple has settings that this form does not take"
        )
    default = dict(type="BlockPLE", channels=channels, _scope_="mmpar")
    return MODELS.build(dict(cfg), default_args=default)


def _learned(mode: str = "fixed") -> bool:
    if mode == "search":
        raise ValueError(
            "scale.mode='search' is a tool, not a way to train: run tools/"
            "analysis_tools/search_scales.py, which writes a config of mode 'fixed'"
        )
    if mode not in ("fixed", "learned"):
        raise ValueError(f"scale.mode is 'fixed' or 'learned', got {mode!r}")
    return mode == "learned"


def _keypoints_on(band: _Band, keypoints: Keypoints | None) -> Tensor:
    """The region's keypoints in pixels of its band, ``(B, N, 3)``."""
    if keypoints is None:
        raise ValueError(
            "the keypoint form of PLE needs keypoints beside the backbone's features; "
            "use the model PARClassifier, which takes them from the data samples"
        )
    if not isinstance(keypoints, Tensor):
        keypoints = keypoints[band.level]
    x, y, visibility = keypoints[:, list(band.region.keypoint_indices)].unbind(-1)
    x = x * band.features.shape[3] - 0.5
    y = y * band.level_height - 0.5 - band.first_row
    return torch.stack((x, y, visibility), dim=-1)
