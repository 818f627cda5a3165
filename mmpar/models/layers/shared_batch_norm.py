"""Batch normalization over the batches of all processes, on CPUs too."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.dist import get_world_size
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce


class SharedBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch normalization by the mean and variance of all processes' batches.

    What ``nn.SyncBatchNorm`` is on GPUs, by collective operations that every backend
    has; batches may differ in size. For inputs ``(B, C, *)``; evaluation, and one
    process, are ``nn.BatchNorm2d``'s.
    """

    def forward(self, inputs: Tensor) -> Tensor:
        """Normalize; ``(B, C, *)`` to the same."""
        if not self.training or get_world_size() == 1:
            return super().forward(inputs)
        # Half precision would round the sums.
        values = inputs.to(torch.promote_types(inputs.dtype, torch.float32))
        others = [axis for axis in range(values.ndim) if axis != 1]
        count = all_reduce(values.new_tensor([values.numel() / values.shape[1]]))
        mean = all_reduce(values.sum(others)) / count
        centred = values - _per_channel(mean, values)
        variance = all_reduce(centred.square().sum(others)) / count
        self._track(mean.detach(), variance.detach() * count / (count - 1))
        normal = centred * _per_channel((variance + self.eps).rsqrt(), values)
        if self.affine:
            weight, bias = (_per_channel(p, values) for p in (self.weight, self.bias))
            normal = normal * weight + bias
        return normal.to(inputs.dtype)

    def _track(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics, if there are, towards those of this batch."""
        tracked = (self.running_mean, self.running_var, self.num_batches_tracked)
        running_mean, running_var, batches = tracked
        if running_mean is None or running_var is None or batches is None:
            return
        batches.add_(1)
        share = 1 / float(batches) if self.momentum is None else self.momentum
        running_mean.lerp_(mean, share)
        running_var.lerp_(variance, share)

    def _check_input_dim(self, inputs: Tensor) -> None:
        if inputs.ndim < 2:
            raise ValueError(f"expected inputs (B, C, *), got {tuple(inputs.shape)}")


def share_batch_statistics(model: nn.Module) -> None:
    """Have every batch normalization of a model look at all processes, in place."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.modules.batchnorm._BatchNorm):
                parent.add_module(name, _shared(child))


def require_shareable(model: nn.Module) -> None:
    """Refuse normalizations that cannot look at the batches of all processes.

    Raises:
        ValueError: One computes something else than torch's and timm's.
    """
    for name, norm in model.named_modules():
        if not isinstance(norm, nn.modules.batchnorm._BatchNorm) or _activates(norm):
            continue
        if type(norm).forward not in (
            nn.modules.batchnorm._BatchNorm.forward,
            nn.SyncBatchNorm.forward,
        ):
            raise ValueError(
                f"sync_bn would replace {name}, a {type(norm).__name__}, by another "
                "layer; let each process look at its own batch: sync_bn=None"
            )


def keep_activations(model: nn.Module) -> None:
    """Have normalizations that replaced timm's apply their activation, as those did.

    Who replaces them, here and in MMEngine, keeps their parts but not their forward.
    """
    for norm in model.modules():
        if isinstance(norm, (SharedBatchNorm, nn.SyncBatchNorm)) and _activates(norm):
            norm.register_forward_hook(_activate)


def _activates(norm: nn.Module) -> bool:
    """Whether it is, or was, timm's ``BatchNormAct2d``."""
    return [name for name, _ in norm.named_children()] == ["drop", "act"]


def _activate(norm: Any, inputs: Any, normal: Tensor) -> Tensor:
    return norm.act(norm.drop(normal))


def _shared(norm: nn.modules.batchnorm._BatchNorm) -> SharedBatchNorm:
    """The same, with the same parameters, buffers and parts."""
    shared = SharedBatchNorm(
        norm.num_features,
        norm.eps,
        norm.momentum,
        norm.affine,
        norm.track_running_stats,
    )
    shared._parameters, shared._buffers = norm._parameters, norm._buffers
    shared._modules = norm._modules
    return shared.train(norm.training)


def _per_channel(values: Tensor, like: Tensor) -> Tensor:
    return values.view(1, -1, *[1] * (like.ndim - 2))
