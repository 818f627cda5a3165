"""The one place that seeds what a training draws while it runs.

Nothing depends on what was drawn before, so a resumed run draws what it would have
drawn undisturbed: a sample from (seed, epoch, rank, position in the epoch), an
iteration (dropout) from (seed, iteration, rank). The number of workers does not matter
either.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

import mmpar.registry  # noqa: F401  checks the installation before torch is imported

# isort: split
import numpy as np
import torch
from mmengine.dist import get_rank
from torch.utils.data import DataLoader

SAMPLE, ITERATION = 0, 1
"""First number of a key: what is seeded."""


def seed_generators(*key: int) -> int:
    """Seed Python, NumPy and torch on the CPU from integers of at least 0.

    Returns:
        The seed that torch got.
    """
    words = np.random.SeedSequence(key).generate_state(4)
    random.seed(int(words[0]))
    np.random.seed(int(words[1]))
    seed = int(words[2]) << 32 | int(words[3])
    # For every sample; torch.manual_seed also looks for devices, which takes longer
    # than everything else here.
    torch.default_generator.manual_seed(seed)
    return seed


def seed_samples(loader: DataLoader, seed: int) -> None:
    """Have a loader seed each sample from (seed, epoch, rank, position in the epoch).

    Persistent workers never learn of a new epoch and a sample may be drawn twice in
    one; so the key travels with the index, through torch's ``__getitems__``.
    """
    batches: Any = loader.batch_sampler
    batches.sampler = _KeyedSampler(batches.sampler, seed)
    dataset: Any = loader.dataset
    dataset.__getitems__ = _SeededItems(dataset)


class _KeyedSampler:
    """Pairs of a sampler's index and the key of its random numbers."""

    def __init__(self, sampler: Any, seed: int) -> None:
        self.sampler = sampler
        self.seed = seed
        self.begin = 0
        if hasattr(sampler, "skip"):  # by which onedl-mmengine's loop resumes
            self._skip, sampler.skip = sampler.skip, self.skip

    def skip(self, num_samples: int) -> None:
        """Begin at a position, which is counted from the start as before."""
        self._skip(num_samples)
        self.begin = num_samples

    def __len__(self) -> int:
        return len(self.sampler)

    def __iter__(self) -> Iterator[tuple[int, tuple[int, ...]]]:
        epoch, rank = getattr(self.sampler, "epoch", 0), get_rank()
        for position, index in enumerate(self.sampler, self.begin):
            yield index, (SAMPLE, self.seed, epoch, rank, position)


class _SeededItems:
    """A dataset's items by index and key."""

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset

    def __call__(self, pairs: Sequence[tuple[int, tuple[int, ...]]]) -> list[Any]:
        items = []
        for index, key in pairs:
            seed_generators(*key)
            items.append(self.dataset[index])
        return items
