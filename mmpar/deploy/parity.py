"""Whether an exported model answers as torch does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

import numpy as np
import torch

from mmpar.deploy.crops import Crops
from mmpar.evaluation.functional import multi_label_scores
from mmpar.models.classifiers.par_classifier import keypoint_samples
from mmpar.structures.model_card import ModelCard

Scorer = Callable[[np.ndarray, Optional[np.ndarray]], np.ndarray]
"""From crops, uint8 (B, H, W, 3) BGR, and keypoints to probabilities (B, A)."""

BATCH_SIZES = (1, 7)
"""The first crops go alone, the others by seven: a graph that fixes the batch fails."""


def torch_scorer(model: Any, card: ModelCard) -> Scorer:
    """The model itself: its data preprocessor, its logits, its card's rule."""

    def score(images: np.ndarray, keypoints: np.ndarray | None) -> np.ndarray:
        pixels = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
        samples = None
        if card.needs_keypoints:
            height, width = images.shape[1:3]
            samples = keypoint_samples(keypoints, width, height)
        with torch.inference_mode():
            inputs = model.data_preprocessor(dict(inputs=pixels))["inputs"]
            logits = model(inputs, samples, mode="tensor")
        return card.decision.scores(logits.float().numpy())

    return score


def score_crops(score: Scorer, crops: Crops) -> np.ndarray:
    """Probabilities (N, A), in batches of ``BATCH_SIZES``."""
    alone, together = BATCH_SIZES
    starts = [0, alone, *range(alone + together, len(crops), together), len(crops)]
    parts = [slice(*pair) for pair in zip(starts, starts[1:]) if pair[0] < pair[1]]
    points = crops.keypoints
    return np.concatenate(
        [
            score(crops.images[part], None if points is None else points[part])
            for part in parts
        ]
    )


def largest_difference(
    scores: np.ndarray, expected: np.ndarray, card: ModelCard
) -> tuple[float, str]:
    """The largest difference of two probabilities (N, A), and where it is."""
    difference = np.abs(scores - expected)
    difference = np.where(np.isfinite(difference), difference, np.inf)
    crop, attribute = np.unravel_index(difference.argmax(), difference.shape)
    where = (
        f"{scores[crop, attribute]:.6f} instead of {expected[crop, attribute]:.6f} for "
        f"{card.schema.names[attribute]!r} of crop {crop}"
    )
    return float(difference[crop, attribute]), where


def mean_accuracy(scores: np.ndarray, crops: Crops, card: ModelCard) -> float:
    """mA in % of probabilities (N, A) against the labels of crops."""
    assert crops.labels is not None
    decisions = card.decision.decide(scores)
    return 100 * multi_label_scores(decisions, crops.labels).mean_accuracy
