"""The classifier that brings keypoints from the data samples to the neck."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import torch
from mmpretrain.models import ImageClassifier
from mmpretrain.structures import DataSample
from torch import Tensor

from mmpar.models.layers import name_scales
from mmpar.registry import MODELS

Samples = list[DataSample]


@MODELS.register_module()
class PARClassifier(ImageClassifier):
    """mmpretrain's ``ImageClassifier``, for necks that need more than the picture.

    A neck with a true ``needs_keypoints`` is called as ``neck(stages, keypoints)`` with
    keypoints ``(B, 17, 3)``: x, y in fractions of the input and visibility, from the
    samples' ``gt_keypoints``, ``(1, 17, 3)`` or ``(17, 3)`` in pixels of the input. For
    other necks nothing differs. A neck that reads regions is told which of them the
    head has attributes for.

    Checkpoints of SSPNet from before weights were stored by region name are renamed
    when they are loaded, where sizes tell which weights are whose. The optimizer's
    state goes by position: such a run can be resumed only if it was trained with one of
    mmpar's own configs and fixed scales.

    Raises:
        ValueError: The neck needs keypoints and a data sample has none, or neck and
            head have regions that are not the same; or an old checkpoint does not tell
            which weights belong to which region.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _match_regions(self.neck, self.head)

    def forward(
        self,
        inputs: Tensor,
        data_samples: Samples | None = None,
        mode: str = "tensor",
    ) -> Any:
        """As mmpretrain's; the mode ``'tensor'`` makes use of the samples, too."""
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
        features = self.neck(self.backbone(inputs), keypoints)
        return features if stage == "neck" else self.head.pre_logits(features)

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

    def name_regions(
        self, state_dict: MutableMapping[str, Any], prefix: str = ""
    ) -> None:
        """Give the weights of an old checkpoint the names of their regions, in place.

        Args:
            state_dict: Of this model, or of one that has it under ``prefix``.
            prefix: With the dot.

        Raises:
            ValueError: Which weights belong to which region cannot be told.
        """
        if not hasattr(self.head, "name_classifiers"):
            return
        order = self.head.name_classifiers(state_dict, f"{prefix}head.")
        if order is not None:
            name_scales(state_dict, f"{prefix}neck.scale_selection.", order)

    def _load_from_state_dict(
        self, state_dict: MutableMapping[str, Any], prefix: str, *args: Any
    ) -> None:
        self.name_regions(state_dict, prefix)
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
            f"neck and head have other regions (name: rows): the neck {of_neck}, the "
            f"head {of_head}. Give model.neck.regions and model.head.regions the same "
            "value; --cfg-options change one of them only"
        )
    if idle:
        neck.keep_regions([region.name for region in head.regions])


def keypoint_fractions(inputs: Tensor, data_samples: Samples | None) -> Tensor:
    """Keypoints of a batch in fractions of the input, ``(B, 17, 3)``."""
    if data_samples is None:
        raise ValueError(
            "the neck reads keypoints, but the model was given pictures without data "
            "samples; give them, with gt_keypoints, or take another kind of PLE: "
            "model.neck.ple.kind=block"
        )
    rows = [_keypoints_of(sample) for sample in data_samples]
    keypoints = torch.stack(rows).to(inputs.device)
    height, width = inputs.shape[2:]
    return keypoints / keypoints.new_tensor((width, height, 1))


def _keypoints_of(sample: DataSample) -> Tensor:
    path = sample.get("img_path")
    keypoints = sample.get("gt_keypoints")
    if keypoints is None:
        raise ValueError(
            f"the neck reads keypoints, but the data sample of {path} has no "
            "gt_keypoints; add them with tools/dataset_converters/add_keypoints.py, or "
            "take another kind of PLE: model.neck.ple.kind=block"
        )
    if keypoints.shape[-2:] != (17, 3) or keypoints.numel() != 17 * 3:
        raise ValueError(
            f"the gt_keypoints of {path} have the shape {tuple(keypoints.shape)}; "
            "expected (1, 17, 3): COCO's 17 of one person with x, y and visibility"
        )
    return keypoints.reshape(17, 3)
