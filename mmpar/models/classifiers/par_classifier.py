"""The classifier that serves necks and heads which need more than the image."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

import torch
from mmpretrain.models import ImageClassifier
from mmpretrain.structures import DataSample
from torch import Tensor

from mmpar.models.layers import CellGrid, cell_grids
from mmpar.models.utils import evaluating, without_hooks
from mmpar.registry import MODELS

CELLS = ("traced", "equal")
Samples = list[DataSample]


@MODELS.register_module()
class PARClassifier(ImageClassifier):
    """mmpretrain's ``ImageClassifier`` with regions, keypoints and old checkpoints.

    - ``regions`` are given once and handed to neck and head. The neck does not read
      those without an attribute in the head's schema.
    - A neck with a true ``needs_keypoints`` is called as ``neck(stages, keypoints)``
      with keypoints ``(B, 17, 3)`` for each stage: x, y in fractions of the stage's map
      and visibility, from the samples' ``gt_keypoints``, ``(1, 17, 3)`` or ``(17, 3)``
      in pixels of the input.
    - A head with ``upgrade_state_dict(state_dict, prefix)`` is given the whole state
      dict before it is loaded, to rename the weights of checkpoints that an older mmpar
      wrote. (The optimizer's state goes by position: a run whose regions were numbered
      can be resumed only if it was trained with one of mmpar's own configs and fixed
      scales.)

    Other necks and heads work as in mmpretrain.

    Args:
        backbone: Config or module.
        neck: Config or module, or None: the head is given the backbone's stages.
        head: Config or module.
        regions: Region name to the arguments of :class:`mmpar.structures.Region`, for
            a neck and a head that read regions and are given as configs.
        cells: Where keypoints lie on the backbone's maps: ``'traced'``, by the place
            that each cell looks at (:func:`mmpar.models.layers.cell_grids`), or
            ``'equal'``, as if the map's cells cut the image into equal parts, as the
            official codes have it.
        **kwargs: As for ``ImageClassifier``.

    Raises:
        ValueError: Regions are configured in neck or head, or those of a neck and a
            head that are given as modules differ; the neck needs keypoints and a data
            sample has none; or an old checkpoint does not show which weights belong to
            which region.
    """

    def __init__(
        self,
        backbone: Any,
        neck: Any = None,
        head: Any = None,
        *,
        regions: Mapping[str, Mapping[str, Any]] | None = None,
        cells: str = "traced",
        **kwargs: Any,
    ) -> None:
        if cells not in CELLS:
            raise ValueError(f"cells is one of {CELLS}, got {cells!r}")
        for name, part in (("neck", neck), ("head", head)):
            if isinstance(part, Mapping) and "regions" in part:
                raise ValueError(
                    f"the config has model.{name}.regions; regions are given once, in "
                    "model.regions, which neck and head share. Write "
                    f"model=dict(regions=dict(...)) and remove model.{name}.regions"
                )
        if regions is not None:
            if not isinstance(neck, Mapping) or not isinstance(head, Mapping):
                raise ValueError(
                    "model.regions are handed to neck and head, which must both be "
                    f"given as configs; got {type(neck).__name__} and "
                    f"{type(head).__name__}"
                )
            neck, head = dict(neck, regions=regions), dict(head, regions=regions)
        super().__init__(backbone, neck, head, **kwargs)
        _match_regions(self.neck, self.head)
        self.cells = cells
        self._grids: dict[tuple[int, ...], list[CellGrid]] = {}

    def forward(
        self,
        inputs: Tensor,
        data_samples: Samples | None = None,
        mode: str = "tensor",
    ) -> Any:
        """As mmpretrain's; the mode ``'tensor'`` uses the samples, too."""
        if mode != "tensor":
            return super().forward(inputs, data_samples, mode)
        features = self.extract_feat(inputs, data_samples=data_samples)
        return self.head(features) if self.with_head else features

    def extract_feat(
        self, inputs: Tensor, stage: str = "neck", data_samples: Samples | None = None
    ) -> Any:
        """Features after ``'backbone'``, ``'neck'`` or before the ``'pre_logits'``."""
        if stage == "backbone" or not getattr(self.neck, "needs_keypoints", False):
            return super().extract_feat(inputs, stage)
        keypoints = keypoint_fractions(inputs, data_samples)
        features = self.read_keypoints(inputs, keypoints)
        return features if stage == "neck" else self.head.pre_logits(features)

    def read_keypoints(self, inputs: Tensor, keypoints: Tensor) -> Any:
        """Features of a neck that reads keypoints.

        Args:
            inputs: ``(B, 3, H, W)``.
            keypoints: x, y in fractions of the input and visibility, ``(B, 17, 3)``.
        """
        size = inputs.shape[2:]
        stages = self.backbone(inputs)
        if self.cells == "equal":
            return self.neck(stages, keypoints)
        pixels = keypoints[..., :2] * keypoints.new_tensor((size[1], size[0]))
        on_stages = []
        for stage, grid in zip(stages, self.stage_grids(inputs)):
            cells = keypoints.new_tensor((stage.shape[3], stage.shape[2]))
            places = (grid.to_cells(pixels) + 0.5) / cells
            on_stages.append(torch.cat((places, keypoints[..., 2:]), dim=-1))
        return self.neck(stages, on_stages)

    def stage_grids(self, inputs: Tensor) -> list[CellGrid]:
        """Where the cells of the backbone's maps lie in images ``(B, 3, H, W)``.

        Found once for each size, from the layers alone, so that training does not
        depend on when that was.
        """
        size = tuple(inputs.shape[2:])
        if size not in self._grids:
            with evaluating(self.backbone), without_hooks(self.backbone):
                self._grids[size] = cell_grids(
                    self.backbone, size, inputs, measure=False
                )
        return self._grids[size]

    def loss(self, inputs: Tensor, data_samples: Samples) -> dict[str, Tensor]:
        """Losses of a batch."""
        features = self.extract_feat(inputs, data_samples=data_samples)
        return self.head.loss(features, data_samples)

    def predict(
        self, inputs: Tensor, data_samples: Samples | None = None, **kwargs: Any
    ) -> Samples:
        """Data samples with predictions; ``kwargs`` go to the head's ``predict``."""
        features = self.extract_feat(inputs, data_samples=data_samples)
        return self.head.predict(features, data_samples, **kwargs)

    def _load_from_state_dict(
        self, state_dict: MutableMapping[str, Any], prefix: str, *args: Any
    ) -> None:
        if hasattr(self.head, "upgrade_state_dict"):
            self.head.upgrade_state_dict(state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *args)


def _match_regions(neck: Any, head: Any) -> None:
    """The neck must know the head's regions, and need not read the idle ones."""
    if not hasattr(neck, "regions") or not hasattr(head, "regions"):
        return
    idle = getattr(head, "idle_regions", ())
    of_neck, of_head = (
        {region.name: region.rows for region in regions}
        for regions in (neck.regions, (*head.regions, *idle))
    )
    if of_neck != of_head:
        raise ValueError(
            f"neck and head have different regions (name: rows): the neck {of_neck}, "
            f"the head {of_head}. Give both the same regions"
        )
    if idle:
        neck.keep_regions([region.name for region in head.regions])


def keypoint_fractions(inputs: Tensor, data_samples: Samples | None) -> Tensor:
    """Keypoints of a batch in fractions of the input, ``(B, 17, 3)``."""
    if data_samples is None:
        raise ValueError(
            "the neck reads keypoints, but the model was given images without data "
            "samples; give data samples with gt_keypoints, or choose another form of "
            "PLE: model.neck.ple.type=BlockPLE"
        )
    rows = [_keypoints_of(sample) for sample in data_samples]
    keypoints = torch.stack(rows).to(inputs.device)
    height, width = inputs.shape[2:]
    return keypoints / keypoints.new_tensor((width, height, 1))


def keypoint_samples(keypoints: Any, width: int, height: int) -> Samples:
    """Data samples with ``gt_keypoints``, the inverse of :func:`keypoint_fractions`.

    Args:
        keypoints: ``(B, 17, 3)``, x, y in fractions of the input and visibility.
        width: Of the input in pixels.
        height: Of the input in pixels.
    """
    scaled = torch.tensor(keypoints * (width, height, 1), dtype=torch.float32)
    samples = [DataSample() for _ in scaled]
    for sample, points in zip(samples, scaled):
        sample.set_field(points[None], "gt_keypoints")
    return samples


def _keypoints_of(sample: DataSample) -> Tensor:
    path = sample.get("img_path")
    keypoints = sample.get("gt_keypoints")
    if keypoints is None:
        raise ValueError(
            f"the neck reads keypoints, but the data sample of {path} has no "
            "gt_keypoints; add them with tools/dataset_converters/add_keypoints.py, or "
            "choose another form of PLE: model.neck.ple.type=BlockPLE"
        )
    if keypoints.shape[-2:] != (17, 3) or keypoints.numel() != 17 * 3:
        raise ValueError(
            f"the gt_keypoints of {path} have the shape {tuple(keypoints.shape)}; "
            "expected (1, 17, 3): COCO's 17 of one person with x, y and visibility"
        )
    return keypoints.reshape(17, 3)
