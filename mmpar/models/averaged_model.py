"""Averages of a model's weights that include the statistics of normalization."""

from __future__ import annotations

from typing import Any

from mmengine.model import BaseAveragedModel
from mmengine.model import ExponentialMovingAverage as ExponentialAverage
from mmengine.model import MomentumAnnealingEMA as MomentumAnnealingAverage
from mmengine.model import StochasticWeightAverage as StochasticAverage
from torch import Tensor, nn

from mmpar.registry import MODELS


class _StatisticsAveraged(BaseAveragedModel):
    """With ``update_buffers=True``, running means and variances are averaged as well.

    Averaged weights go with averaged statistics, and the official codes' EMA averages
    both. MMEngine would average every floating-point buffer and ignore the others:
    the positive ratios, which are NaN until the training begins, the temperature of
    learned scales, and the levels chosen for them, an integer. Here every buffer but
    the running statistics (``BatchNorm``, ``SyncBatchNorm``, ``InstanceNorm``) is a
    copy of the model's at any time, including its counter of batches.
    """

    avg_parameters: dict[str, Tensor]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.update_buffers:
            averaged = {name for name, _ in self.module.named_parameters()}
            averaged.update(running_statistics(self.module))
            self.avg_parameters = {
                name: value
                for name, value in self.avg_parameters.items()
                if name in averaged
            }

    def update_parameters(self, model: nn.Module) -> None:
        """Average the model's state as it is now; called after every iteration."""
        super().update_parameters(model)
        if self.update_buffers:
            source = dict(model.named_buffers())
            for name, buffer in self.module.named_buffers():
                if name not in self.avg_parameters:
                    buffer.copy_(source[name])


def running_statistics(model: nn.Module) -> set[str]:
    """Names of the running means and variances among the buffers of a model.

    >>> sorted(running_statistics(nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 2))))
    ['0.running_mean', '0.running_var']
    """
    return {
        f"{name}.{statistic}" if name else statistic
        for name, module in model.named_modules()
        # The base of all batch and instance normalization.
        if isinstance(module, nn.modules.batchnorm._NormBase)
        for statistic in ("running_mean", "running_var")
        if getattr(module, statistic) is not None
    }


@MODELS.register_module()
class ExponentialMovingAverage(_StatisticsAveraged, ExponentialAverage):
    """MMEngine's of this name; ``update_buffers`` averages running statistics."""


@MODELS.register_module()
class MomentumAnnealingEMA(_StatisticsAveraged, MomentumAnnealingAverage):
    """MMEngine's of this name; ``update_buffers`` averages running statistics."""


@MODELS.register_module()
class StochasticWeightAverage(_StatisticsAveraged, StochasticAverage):
    """MMEngine's of this name; ``update_buffers`` averages running statistics."""
