"""Draws from the parts of a JointDataset by weight, anew each epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from mmpar.datasets.joint import JointDataset
from mmpar.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class JointSampler(Sampler):
    """Shuffled samples of a :class:`JointDataset`, of each data set by its weight.

    Every process draws the same and takes its share; the first samples are repeated
    until all shares are equal. ``PositiveRatioHook`` counts labels by the weights.

    Args:
        dataset: What to draw from.
        weights: How often an epoch draws each data set, relative to its size: 2 takes
            each sample twice, 0.5 half of them, another half in the next epoch.
        seed: The same in all processes; by default a random one.

    Raises:
        TypeError: ``dataset`` is no ``JointDataset``.
        ValueError: Another number of weights, one that is not positive, or weights
            that draw nothing.
    """

    def __init__(
        self, dataset: JointDataset, weights: Sequence[float], seed: int | None = None
    ) -> None:
        if not isinstance(dataset, JointDataset):
            raise TypeError(
                f"JointSampler draws from a JointDataset, got {type(dataset).__name__}"
            )
        _check(weights, len(dataset.datasets))
        self.seed = sync_random_seed() if seed is None else seed
        self.epoch = 0
        self.rank, self.world_size = get_dist_info()
        self._sizes = [len(one) for one in dataset.datasets]
        self._counts = [round(w * n) for w, n in zip(weights, self._sizes)]
        if sum(self._counts) == 0:
            raise ValueError(f"weights {list(weights)} of {self._sizes} draw no sample")

    def expected_times(self) -> np.ndarray:
        """How often an epoch has each sample, on average, float64, shape (N,)."""
        shares = np.array(self._counts) / np.array(self._sizes)
        return np.repeat(shares, self._sizes)

    def set_epoch(self, epoch: int) -> None:
        """Each epoch, from 0, has its own draw."""
        self.epoch = epoch

    def __len__(self) -> int:
        return math.ceil(sum(self._counts) / self.world_size)

    def __iter__(self) -> Iterator[int]:
        generator = np.random.default_rng([self.seed, self.epoch])
        drawn, first = [], 0
        for size, count in zip(self._sizes, self._counts):
            whole = np.tile(np.arange(size), count // size)
            more = generator.permutation(size)[: count % size]
            drawn.append(first + np.concatenate([whole, more]))
            first += size
        indices = generator.permutation(np.concatenate(drawn))
        indices = np.resize(indices, len(self) * self.world_size)
        return iter(indices[self.rank :: self.world_size].tolist())


def _check(weights: Sequence[float], number: int) -> None:
    if len(weights) != number:
        raise ValueError(
            f"{number} data sets have {len(weights)} weights; give one for each"
        )
    if not all(weight > 0 for weight in weights):
        raise ValueError(f"weights are positive, got {list(weights)}")
