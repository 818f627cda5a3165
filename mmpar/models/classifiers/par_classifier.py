"""The classifier that brings keypoints from the data samples to the neck."""

from __future__ import annotations

from typing import Any

import torch
from mmpretrain.models import ImageClassifier
from mmpretrain.structures import DataSample
from torch import Tensor

from mmpar.registry import MODELS

Samples = list[DataSample]


@MODELS.register_module()
class PARClassifier(ImageClassifier):
    """mmpretrain's ``ImageClassifier``, for necks that need more than the picture.

    A neck with a true ``needs_keypoints`` is called as ``neck(stages, keypoints)`` with
    keypoints ``(B, 17, 3)``: x, y in fractions of the input and visibility, from the
    samples' ``gt_keypoints``, ``(1, 17, 3)`` or ``(17, 3)`` in pixels of the input. For
    other necks nothing differs.

    Raises:
        ValueError: The neck needs keypoints and a data sample has none, or neck and
            head have regions that are not the same.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _check_regions(self.neck, self.head)

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


def _check_regions(neck: Any, head: Any) -> None:
    """The n-th feature of the neck must be of what the head takes for its n-th."""
    if not hasattr(neck, "regions") or not hasattr(head, "regions"):
        return
    of_neck, of_head = (
        [(region.name, region.rows) for region in part.regions] for part in (neck, head)
    )
    if of_neck != of_head:
        raise ValueError(
            "neck and head have other regions (name, rows), or another order of them: "
            f"the neck {of_neck}, the head {of_head}. Give model.neck.regions and "
            "model.head.regions the same value; --cfg-options change one of them only"
        )


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
