"""Seeds what the model draws in a training iteration."""

import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook

from mmpar.registry import HOOKS
from mmpar.utils.seeding import ITERATION, seed_generators


@HOOKS.register_module()
class IterationSeedHook(Hook):
    """Seed each training iteration from (seed, iteration, rank)."""

    def before_train_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        """Seed what the model draws, such as dropout, on all devices."""
        key = (ITERATION, runner.seed, runner.iter, get_rank())
        torch.manual_seed(seed_generators(*key))
