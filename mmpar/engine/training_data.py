"""What an epoch of a training will see, and whether that is anything at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from mmengine.dataset import InfiniteSampler
from mmengine.dist import get_world_size
from torch.utils.data import DataLoader


@dataclass(frozen=True)
class Epoch:
    """Sizes of one pass over the training data."""

    images: int
    drawn: int
    """By the samplers of all processes together."""
    processes: int
    batch_size: int
    """Images per batch and process; 1 where a batch sampler decides."""
    batches: int
    """Per process."""

    @property
    def left_out(self) -> int:
        """Images drawn that one epoch does not see, since they fill no batch."""
        seen = self.batches * self.batch_size * self.processes
        return max(0, min(self.images, self.drawn) - seen)

    def __str__(self) -> str:
        processes = (
            "1 process" if self.processes == 1 else f"{self.processes} processes"
        )
        return (
            f"{self.batches:,} batches of {self.batch_size} per epoch on {processes}, "
            f"{self.left_out:,} of {self.images:,} images left out of each epoch"
        )


def epoch_of(loader: DataLoader) -> Epoch:
    """The sizes of one epoch of a data loader on all processes.

    Raises:
        ValueError: It has no batch: too few images for ``drop_last``.
    """
    processes = get_world_size()
    epoch = Epoch(
        images=len(loader.dataset),  # type: ignore[arg-type]
        drawn=len(loader.sampler) * processes,  # type: ignore[arg-type]
        processes=processes,
        batch_size=loader.batch_size or 1,
        batches=len(loader),
    )
    # An endless sampler fills each batch, with repeated images where they are few.
    if epoch.batches == 0 and not isinstance(loader.sampler, InfiniteSampler):
        share = -(-epoch.images // epoch.processes)
        raise ValueError(
            f"there is nothing to train on: {epoch.images} images on {epoch.processes} "
            f"process(es) are {share} for each, which do not fill one batch of "
            f"train_dataloader.batch_size={epoch.batch_size}, and drop_last=True drops "
            f"the rest. Set train_dataloader.batch_size to at most {share}, or "
            "train_dataloader.drop_last=False, or give more images or fewer processes"
        )
    return epoch


def rarest_attribute(positives: np.ndarray, known: np.ndarray, names: list[str]) -> str:
    """The attribute with the fewest positives among those with a known label."""
    candidates = np.flatnonzero(known > 0)
    if len(candidates) == 0:
        return "no attribute has a known label"
    rarest = candidates[np.argmin(positives[candidates])]
    return f"rarest {names[rarest]}: {positives[rarest]:,.10g} positives"


def name_of(dataset: Any) -> str:
    """What the log calls a dataset: its class or name, and its split."""
    meta = getattr(dataset, "metainfo", {})
    name = meta.get("dataset_name", type(dataset).__name__)
    return f"{name} {getattr(dataset, 'split', '')}".rstrip()
