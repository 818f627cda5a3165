"""The official Strong Baseline and SSPNet from their formulas, by their own names.

Only the convolutional backbone is torchvision's, which both codes copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace

import torch
import torchvision
from torch import Tensor, nn

from tests.oracles.feature_pyramid import feature_pyramid
from tests.oracles.prior_location_extraction import prior_location_extraction
from tests.oracles.pyramid_pooling import max_pyramid_pool

Weights = Mapping[str, Tensor]

BANDS = (("head", 0, 0, 24), ("mid", 1, 4, 20), ("low", 1, 16, 32), ("all", 2, 0, 16))
"""Classifier, level and rows of the code, written for images of 256 rows."""


def strong_baseline(
    weights: Weights, image: Tensor, features: Tensor | None = None
) -> Tensor:
    """Logits ``(B, A)`` in the order of the code.

    Args:
        weights: With a ResNet, unless ``features`` are given.
        image: ``(B, 3, H, W)``.
        features: Of another backbone, ``(B, C, H, W)``.
    """
    if features is None:
        features = stages(weights, image)[-1]
    means = features.sum(dim=(2, 3)) / (features.shape[2] * features.shape[3])
    return classify(weights, means, "classifier.logits.0", "classifier.logits.1")


def cosine_baseline(weights: Weights, image: Tensor) -> Tensor:
    """Logits ``(B, A)`` of the cosine classifier, as the code evaluates it."""
    features = stages(weights, image)[-1].mean(dim=(2, 3))
    columns = []
    for direction in weights["classifier.logits"]:
        lengths = features.pow(2).sum(1).sqrt() * direction.pow(2).sum().sqrt()
        columns.append((features * direction).sum(1) / lengths)
    return torch.stack(columns, dim=1)


def sspnet(weights: Weights, image: Tensor) -> Tensor:
    """Logits ``(B, A)`` in the order of the code, for images ``(B, 3, 256, W)``."""

    def conv(name: str) -> SimpleNamespace:
        return SimpleNamespace(
            weight=weights[f"{name}.weight"], bias=weights[f"{name}.bias"]
        )

    laterals = ("latlayer3", "latlayer2", "latlayer1", "toplayer")
    pyramid = SimpleNamespace(
        laterals=[conv(f"backbone.{name}") for name in laterals],
        smooths=[conv(f"backbone.smooth{i}") for i in (3, 2, 1)],
    )
    levels = feature_pyramid(pyramid, stages(weights, image))
    offsets = [conv(f"classifier.PLEs.offset_conv.{k}") for k in range(3)]
    ple = SimpleNamespace(
        projection=conv("classifier.PLEs.conv"),
        offset=SimpleNamespace(  # x and y of point 0, of point 1, of point 2
            weight=torch.cat([offset.weight for offset in offsets]),
            bias=torch.cat([offset.bias for offset in offsets]),
        ),
        weight=conv("classifier.PLEs.weight_conv.0"),
        num_points=3,
        grid_convention="official",
    )
    logits = []
    for name, level, start, stop in BANDS:
        located = prior_location_extraction(ple, levels[level][:, :, start:stop])
        pooled = max_pyramid_pool(located, (1, 2))
        classifier = f"classifier.cls_{name}"
        logits.append(classify(weights, pooled, f"{classifier}.0", f"{classifier}.2"))
    return torch.cat(logits, dim=1)


def classify(weights: Weights, features: Tensor, linear: str, norm: str) -> Tensor:
    """A linear layer, one output at a time, and its batch normalization if any."""
    columns = []
    for j, (row, bias) in enumerate(
        zip(weights[f"{linear}.weight"], weights[f"{linear}.bias"])
    ):
        y = (features * row).sum(dim=1) + bias
        if f"{norm}.weight" in weights:
            deviation = (weights[f"{norm}.running_var"][j] + 1e-5).sqrt()
            y = (y - weights[f"{norm}.running_mean"][j]) / deviation
            y = y * weights[f"{norm}.weight"][j] + weights[f"{norm}.bias"][j]
        columns.append(y)
    return torch.stack(columns, dim=1)


def stages(weights: Weights, image: Tensor) -> list[Tensor]:
    """The four stages of the backbone, finest first."""
    deep = "backbone.layer1.0.conv3.weight" in weights
    backbone = torchvision.models.resnet50() if deep else torchvision.models.resnet18()
    backbone.fc = nn.Identity()
    own = backbone.state_dict()
    backbone.double().eval()
    backbone.load_state_dict({name: weights[f"backbone.{name}"] for name in own})
    x = backbone.maxpool(backbone.relu(backbone.bn1(backbone.conv1(image))))
    features = []
    for i in (1, 2, 3, 4):
        x = getattr(backbone, f"layer{i}")(x)
        features.append(x)
    return features
