"""Features of a frozen tower in place of the image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform

from mmpar.registry import TRANSFORMS
from mmpar.structures.plain_data import plain
from mmpar.structures.preprocessing import Preprocessing
from mmpar.utils.feature_cache import FeatureCache, sample_key


@TRANSFORMS.register_module()
class LoadFeatures(BaseTransform):
    """Gives a sample the cached features of its image, where others load it.

    ``img`` becomes a float16 tensor of the shape that the tower gives for one image.
    ``tools/cache_features.py`` writes the cache.

    Args:
        cache: Folder of :class:`mmpar.utils.feature_cache.FeatureCache`.
        tower: What the features must be of: ``backbone``, ``data_preprocessor`` and
            ``pipeline`` of the config that was cached.

    Raises:
        FileNotFoundError: There is no cache.
        ValueError: It is of another tower, of otherwise prepared images, or not
            complete.
        KeyError: An image is not in it, or its file has changed since.
    """

    def __init__(self, cache: str, tower: Mapping[str, Any]) -> None:
        self.cache = cache
        self.fingerprint = tower_fingerprint(**tower)
        self._open: FeatureCache | None = None

    def transform(self, results: dict) -> dict:
        if self._open is None:
            self._open = FeatureCache(self.cache, self.fingerprint)
        features = self._open[sample_key(results)]
        results["img"] = torch.from_numpy(np.array(features))
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(cache={self.cache!r})"


def tower_fingerprint(
    backbone: Mapping[str, Any],
    data_preprocessor: Mapping[str, Any],
    pipeline: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """What features depend on, as a config says it; not on the tower's text side.

    Args:
        backbone: Config of the tower.
        data_preprocessor: Config that normalizes its images.
        pipeline: Test pipeline, see :class:`Preprocessing`.

    Raises:
        ValueError: The pipeline does more than load, resize and pack.
    """
    look = Preprocessing.from_config(pipeline, data_preprocessor)
    others = ("text", "frozen")
    kept = {key: value for key, value in backbone.items() if key not in others}
    if isinstance(kept.get("model"), Mapping):
        kept["model"] = {k: v for k, v in kept["model"].items() if k != "text_cfg"}
    return dict(backbone=plain(kept, "backbone"), preprocessing=look.to_dict())
