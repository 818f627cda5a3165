"""SSPNet's neck and head from the other oracles, with the attributes scattered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from tests.oracles.feature_pyramid import feature_pyramid
from tests.oracles.prior_location_extraction import (
    prior_location_extraction,
)
from tests.oracles.pyramid_pooling import max_pyramid_pool


def sspnet(
    neck,
    head,
    stages: Sequence[Tensor],
    rows: Mapping[str, tuple[int, int]],
    attributes: Mapping[str, Sequence[str]],
) -> Tensor:
    """Logits ``(B, A)``.

    Args:
        neck: Gives the weights.
        head: Gives the weights and the schema.
        stages: Backbone features, finest first.
        rows: Region to its rows on its level.
        attributes: Region to the names of its attributes, in the schema's order.
    """
    levels = feature_pyramid(neck.pyramid, stages)
    columns: dict[str, Tensor] = {}
    for region in neck.regions:
        classifier = head.classifiers[region.name]
        start, stop = rows[region.name]
        band = levels[region.level - 1][:, :, start:stop]
        located = prior_location_extraction(neck.ple, band)
        pooled = max_pyramid_pool(located, head.pool_grids)
        for i, name in enumerate(attributes[region.name]):
            columns[name] = pooled @ classifier.weight[i] + classifier.bias[i]
    return torch.stack([columns[name] for name in head.schema.names], dim=1)
