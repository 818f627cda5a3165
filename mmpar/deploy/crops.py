"""Person crops on which an export is checked, or by which it is calibrated."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import mmpar.registry  # noqa: F401  checks the installation before MMEngine is imported

# isort: split
import numpy as np
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmpar.apis.image_inputs import iterate_images, load_pixels
from mmpar.deploy.preprocessing import read_image, resize_image
from mmpar.registry import DATASETS
from mmpar.structures.model_card import ModelCard
from mmpar.synthetic import draw_person


@dataclass(frozen=True)
class Crops:
    """Persons at the size of a model's input.

    Attributes:
        images: uint8, (N, H, W, 3), BGR.
        keypoints: (N, 17, 3), x, y in fractions of the crop and visibility, if known.
        labels: (N, A), 1, 0, or -1 for unknown, if known.
        source: Where they are from, for reports.
    """

    images: np.ndarray
    source: str
    keypoints: np.ndarray | None = None
    labels: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.images)


def draw_crops(card: ModelCard, count: int = 32, seed: int = 0) -> Crops:
    """Persons of SyntheticPAR, with keypoints; none of them trained a model."""
    size = np.array((96, 192))
    persons = [draw_person(seed, 4 * 10**9 + i, (96, 192)) for i in range(count)]
    images = [
        resize_image(person.image[..., ::-1], card.preprocessing) for person in persons
    ]
    keypoints = np.stack([person.keypoints for person in persons]).astype(np.float64)
    keypoints[..., :2] /= size
    keypoints[..., 2] = keypoints[..., 2] > 0
    return Crops(np.stack(images), f"{count} drawn crops", keypoints)


def read_crops(card: ModelCard, inputs: Any, limit: int | None = None) -> Crops:
    """Crops from images as an inferencer takes them.

    Args:
        card: Of the model.
        inputs: See :func:`mmpar.apis.image_inputs.iterate_images`.
        limit: How many are read at most.

    Raises:
        OSError: A file cannot be read.
        ValueError: One is not an image, or there is none.
    """
    read = partial(read_image, use_exif=card.preprocessing.use_exif)
    images = [
        resize_image(load_pixels(given.image, read), card.preprocessing)
        for given in islice(iterate_images(inputs), limit)
    ]
    if not images:
        raise ValueError(f"no image is given in {inputs!r}")
    return Crops(np.stack(images), f"{len(images)} given images")


def load_crops(
    card: ModelCard, config: Any, split: str = "val", limit: int | None = None
) -> Crops:
    """Labelled crops of a dataset, as its pipeline gives them.

    Args:
        card: Of the model.
        config: Path of a config, or a config, with the data loader of the split.
        split: ``"val"`` or ``"test"``; which data loader of the config.
        limit: How many are loaded at most.

    Raises:
        ValueError: The config has no such loader, or its images or attributes are not
            those of the model.
    """
    cfg = config if isinstance(config, Config) else Config.fromfile(config)
    loader = cfg.get(f"{split}_dataloader")
    if loader is None:
        raise ValueError(f"{cfg.filename} has no {split}_dataloader")
    with DefaultScope.overwrite_default_scope(cfg.get("default_scope", "mmpar")):
        dataset = DATASETS.build(loader["dataset"])
    card.schema.require_same(dataset.schema, "the model", f"{cfg.filename}, {split}")
    count = len(dataset) if limit is None else min(limit, len(dataset))
    samples = [dataset[i] for i in range(count)]
    images = np.stack([one["inputs"].permute(1, 2, 0).numpy() for one in samples])
    size = (card.preprocessing.height, card.preprocessing.width)
    if images.shape[1:3] != size:
        raise ValueError(
            f"the {split} pipeline of {cfg.filename} gives images of "
            f"{images.shape[2]} x {images.shape[1]} pixels; the model takes "
            f"{size[1]} x {size[0]}"
        )
    labels = np.stack([one["data_samples"].gt_score.numpy() for one in samples])
    keypoints = None
    if card.needs_keypoints:
        points = [one["data_samples"].gt_keypoints.numpy() for one in samples]
        keypoints = np.concatenate(points) / (*size[::-1], 1)
    source = f"{count} images of {split} in {cfg.filename}"
    return Crops(images, source, keypoints, labels)
