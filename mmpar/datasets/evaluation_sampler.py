"""Which samples each of several processes evaluates."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from typing import Any

from mmengine.dist import get_dist_info
from torch.utils.data import Sampler

from mmpar.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class EvaluationSampler(Sampler):
    """All samples in order, each once, in the batches of a single process.

    These are dealt to the processes whole, one after the other. The last bits of a
    score depend on the batch that its image is in, so several processes predict what
    one does, bit for bit; MMEngine's ``DefaultSampler`` deals single samples, and some
    twice. A process may have no batch at all.

    >>> list(EvaluationSampler(range(5)))
    [0, 1, 2, 3, 4]

    Args:
        dataset: What to evaluate.
        batch_size: Samples of a batch; ``PARRunner`` sets that of the data loader.
        seed: Not used; MMEngine gives it to every sampler.
    """

    def __init__(self, dataset: Sized, batch_size: int = 1, seed: Any = None) -> None:
        self.size = len(dataset)
        self.batch_size = batch_size
        self.rank, self.world_size = get_dist_info()

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[int]:
        step = self.batch_size * self.world_size
        for start in range(self.rank * self.batch_size, self.size, step):
            yield from range(start, min(start + self.batch_size, self.size))
