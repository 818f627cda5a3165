"""MMEngine's Runner as the tools use it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.logging import MMLogger
from mmengine.registry import Registry
from mmengine.runner import BaseLoop, EpochBasedTrainLoop, Runner
from mmengine.runner._flexible_runner import FlexibleRunner
from torch import nn
from torch.utils.data import DataLoader

from mmpar.compat import has_deepspeed
from mmpar.datasets import EvaluationSampler
from mmpar.engine.hooks.interrupt_hook import InterruptHook, OutliveSignals
from mmpar.engine.hooks.progress_hook import ProgressHook
from mmpar.engine.hooks.training_report_hook import measure_epoch
from mmpar.engine.killed_workers import naming_killed_workers
from mmpar.engine.loops import ResumableEpochLoop
from mmpar.models.layers.shared_batch_norm import (
    keep_activations,
    require_shareable,
    share_batch_statistics,
)
from mmpar.registry import LOOPS, RUNNERS, STRATEGIES
from mmpar.utils.allocator import keeping_freed_memory
from mmpar.utils.checkpoint_search import resolve_resume
from mmpar.utils.config import check_config
from mmpar.utils.configured_hooks import configured_hooks, name_of_type
from mmpar.utils.launch import leaving_process_group, prepare_launch
from mmpar.utils.seeding import seed_samples

# MMEngine's own CheckpointHook causes these, in every run, whatever the config says.
_NOT_FOR_USERS = (
    '"FileClient" will be deprecated',
    '"HardDiskBackend" is the alias',
    "The prefix is not set in metric class DumpPredictions",
    "which means the gradient of some iterations is lost",  # ResumeHook has them
)

# For questions about a run later; the console says what matters now.
_FOR_THE_FILE = (
    "System environment:",
    "Config:\n",
    "Hooks will be executed in the ",
    "Distributed training is not used, all SyncBatchNorm",
    "Exp name: ",
)

# With their scope, as the config's may be another.
_CHECKS = dict(
    schema_check=dict(type="mmpar.SchemaCheckHook"),
    resume=dict(type="mmpar.ResumeHook"),
    loaded_weights=dict(type="mmpar.LoadedWeightsHook"),
)

# MMEngine adds these by itself, and removes one where the config says None.
_OF_MMENGINE = {
    *("runtime_info", "timer", "sampler_seed"),
    *("logger", "param_scheduler", "checkpoint"),
}


def _class_of(cfg: dict, registry: Registry) -> Any:
    """The class of a part's config, which may name it in any scope; None if unknown."""
    kind = cfg.get("type")
    return registry.get(kind) if isinstance(kind, str) else kind


class _Resumable:
    """What both Runners do otherwise than MMEngine's.

    Samples do not depend on what was drawn before them, and a training without a batch
    is an error.
    """

    @staticmethod
    def build_dataloader(
        dataloader: Any, seed: int | None = None, diff_rank_seed: bool = False
    ) -> DataLoader:
        """As MMEngine's, with each sample seeded on its own."""
        loader = Runner.build_dataloader(dataloader, seed, diff_rank_seed)
        if isinstance(dataloader, DataLoader):
            return loader
        if isinstance(loader.sampler, EvaluationSampler) and loader.batch_size:
            loader.sampler.batch_size = loader.batch_size
        loader.worker_init_fn = OutliveSignals(loader.worker_init_fn)
        if seed is not None:
            seed_samples(loader, seed)
        return loader

    def register_default_hooks(self, hooks: dict[str, Any] | None = None) -> None:
        """As MMEngine's, but None removes any hook, not only one of MMEngine's.

        Hooks of equal priority run in the order of their names, the order of a config
        that was written.
        """
        super().register_default_hooks(  # type: ignore[misc]
            {
                name: hook
                for name, hook in sorted((hooks or {}).items())
                if hook is not None or name in _OF_MMENGINE
            }
        )

    def train(self) -> nn.Module:
        """As MMEngine's; however it ends, the terminal and signals are restored.

        Meanwhile memory that is freed is kept for the next step.

        Raises:
            RuntimeError: As PyTorch's, with a remedy where a worker was killed.
        """
        remedy = "lower num_workers of train and val_dataloader; then --resume"
        try:
            with keeping_freed_memory(), naming_killed_workers(remedy):
                return super().train()  # type: ignore[misc]
        finally:
            for hook in self.hooks:  # type: ignore[attr-defined]
                if isinstance(hook, (ProgressHook, InterruptHook)):
                    hook.stop(self)

    def val(self) -> dict[str, float]:
        """As MMEngine's.

        Raises:
            RuntimeError: As PyTorch's, with a remedy where a worker was killed.
        """
        with naming_killed_workers("lower val_dataloader.num_workers"):
            return super().val()  # type: ignore[misc]

    def test(self) -> dict[str, float]:
        """As MMEngine's.

        Raises:
            RuntimeError: As PyTorch's, with a remedy where a worker was killed.
        """
        with naming_killed_workers("lower test_dataloader.num_workers"):
            return super().test()  # type: ignore[misc]

    def build_train_loop(self, loop: Any) -> Any:
        """As MMEngine's; its epoch-based one, by name too, resumes within an epoch.

        Raises:
            ValueError: An epoch would have no batch. MMEngine would train nothing, or
                fail where it converts schedules to iterations.
        """
        if isinstance(loop, dict) and loop.get("by_epoch") and "type" not in loop:
            rest = {name: value for name, value in loop.items() if name != "by_epoch"}
            loop = dict(type=ResumableEpochLoop, **rest)
        elif isinstance(loop, dict) and _class_of(loop, LOOPS) is EpochBasedTrainLoop:
            loop = {**loop, "type": ResumableEpochLoop}
        loop = super().build_train_loop(loop)  # type: ignore[misc]
        measure_epoch(loop.dataloader)
        return loop

    def close(self) -> None:
        """Release all that it holds; the log outlives it and refers to it.

        The wrapped model would keep the threads of the process group alive.
        """
        self.__dict__.clear()


@RUNNERS.register_module()
class PARRunner(_Resumable, Runner):
    """MMEngine's Runner, resumable, with a console that fits on a page.

    Samples do not depend on what was drawn before them, and a training without a batch
    is an error. The environment, the config, the order of hooks and, during training,
    the tables of each validation go to the log file only.
    """

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        """As MMEngine's."""
        logger = super().build_logger(*args, **kwargs)
        logger.addFilter(_concerns_users)
        for handler in logger.handlers:
            if not isinstance(handler, logging.FileHandler):
                handler.addFilter(_concerns_the_console)
                handler.addFilter(self._belongs_on_the_console)
        return logger

    def wrap_model(self, model_wrapper_cfg: dict | None, model: nn.Module) -> nn.Module:
        """As MMEngine's, with ``sync_bn`` on CPUs too, which torch's refuses.

        Normalizations of timm, which MMEngine would rob of their activations, keep
        them. ``channels_last`` of the config lays out maps and weights as (B, H, W, C)
        in memory, which many convolutions run faster on; results are equal but for
        rounding.

        Raises:
            ValueError: A normalization of the model cannot be replaced.
        """
        if self.cfg.get("channels_last"):
            # Later, DistributedDataParallel would mix up the first step's gradients.
            model.to(memory_format=torch.channels_last)
        sync_bn = self.cfg.get("sync_bn")
        if not sync_bn or not self.distributed:
            return super().wrap_model(model_wrapper_cfg, model)
        require_shareable(model)
        if get_device() == "cpu":
            share_batch_statistics(model)
            self.cfg.sync_bn = None
        wrapped = super().wrap_model(model_wrapper_cfg, model)
        self.cfg.sync_bn = sync_bn
        keep_activations(wrapped)
        return wrapped

    def _belongs_on_the_console(self, record: logging.LogRecord) -> bool:
        """Tables of a validation during a training are for the log file."""
        # A closed Runner has no loop.
        training = isinstance(getattr(self, "_train_loop", None), BaseLoop)
        return not (training and getattr(record, "is_table", False))

    def _init_model_weights(self) -> None:
        # A resumed checkpoint brings every weight: do not fetch pre-trained ones.
        if not (self._resume and self._load_from):
            super()._init_model_weights()


@RUNNERS.register_module()
class PARFlexibleRunner(_Resumable, FlexibleRunner):
    """MMEngine's ``FlexibleRunner``, resumable; it trains by a ``strategy``."""

    def build_strategy(self, strategy: Any, *args: Any, **kwargs: Any) -> Any:
        """As MMEngine's, which would not find mmpar's: it sets its scope later."""
        if isinstance(strategy, dict):
            kind = _class_of(strategy, STRATEGIES) or strategy["type"]  # their error
            strategy = {**strategy, "type": kind}
        return super().build_strategy(strategy, *args, **kwargs)

    def save_checkpoint(
        self, *args: Any, meta: dict | None = None, **kwargs: Any
    ) -> None:
        """As MMEngine's ``Runner``: epoch and iteration that ``meta`` names are kept.

        ``FlexibleRunner`` counts one more in the best checkpoint, and in those that are
        saved again for it.
        """
        self._named = dict(meta or {})
        super().save_checkpoint(*args, meta=meta, **kwargs)

    def call_hook(self, fn_name: str, **kwargs: Any) -> None:
        """As MMEngine's."""
        if fn_name == "before_save_checkpoint":
            kwargs["checkpoint"]["meta"].update(self._named)
        super().call_hook(fn_name, **kwargs)


def build_runner(cfg: Config) -> PARRunner:
    """The Runner of a config, on GPUs or CPUs, without warnings nobody can act on.

    Whatever hooks the config has, the Runner refuses checkpoints that do not fit, and
    data of another schema. Types without a scope are mmpar's where the config has no
    ``default_scope``. The config that it writes begins the training, also where this
    run resumes one.

    Raises:
        ValueError: The config has a mistyped field, its work dir cannot be resumed, or
            the process was not started as ``launcher`` says.
    """
    check_config(cfg)
    cfg.default_scope = cfg.get("default_scope") or "mmpar"
    if cfg.get("strategy"):
        _prepare_strategy(cfg)
    warnings: list[str] = []
    last = resolve_resume(cfg, warnings.append)
    cfg.default_hooks = {**(cfg.get("default_hooks") or {}), **_checks(cfg)}
    prepare_launch(cfg)
    runner = (PARFlexibleRunner if cfg.get("strategy") else PARRunner).from_cfg(cfg)
    if last is not None:
        runner._load_from, runner._resume = last, True
    for warning in warnings:
        runner.logger.warning(warning)
    return runner


@contextmanager
def running(cfg: Config) -> Iterator[PARRunner]:
    """The Runner of a config, as :func:`build_runner`, for the length of a block.

    It joins the process group of a launch. A block that succeeds leaves the group and
    closes the Runner.
    """
    with leaving_process_group():
        runner = build_runner(cfg)
        yield runner
        runner.close()


def _prepare_strategy(cfg: Config) -> None:
    """Change what cannot be done with weights that no process has all of.

    Raises:
        ValueError: It cannot be left out either, or no DeepSpeed that fits is there.
    """
    name, wrapper = name_of_type(cfg.strategy.type), cfg.get("optim_wrapper") or {}
    if name == "DeepSpeedStrategy":
        if not has_deepspeed():
            raise ValueError(
                f"the strategy {name} needs a package: pip install 'deepspeed<0.19.7' "
                "(later ones lack optimizers that MMEngine imports)"
            )
        kind = name_of_type(wrapper.get("type"))
        if kind != "DeepSpeedOptimWrapper" or wrapper.get("clip_grad"):
            raise ValueError(
                f"the strategy {name} has an optimizer and clipping of its own: set "
                "optim_wrapper.type='DeepSpeedOptimWrapper', without clip_grad, in "
                "whose place is strategy.gradient_clipping"
            )
    if cfg.get("launcher", "none") == "none" and name != "SingleDeviceStrategy":
        raise ValueError(
            f"the strategy {name} is for several processes: start the training with "
            "tools/dist_train.sh or tools/slurm_train.sh"
        )
    if configured_hooks(cfg, "EMAHook"):
        raise ValueError(
            f"EMAHook averages whole weights, which the strategy {name} splits; leave "
            "it out: default_hooks.ema=None"
        )
    if cfg.get("channels_last"):
        raise ValueError(
            f"channels_last cannot be combined with the strategy {name}: set "
            "channels_last=None"
        )
    if cfg.get("sync_bn"):
        raise ValueError(
            f"the strategy {name} leaves batch normalization as it is, so that each "
            "process looks at its own batch; say so: sync_bn=None"
        )
    clip = wrapper.get("clip_grad") or {"type": "value"}
    if name == "FSDPStrategy" and clip.get("type", "norm") == "norm":
        raise ValueError(
            "optim_wrapper.clip_grad would clip each process's share of the gradients "
            f"by its own norm under the strategy {name}; leave it out "
            "(optim_wrapper.clip_grad=None) or clip values (type='value')"
        )
    if cfg.get("load_from") or cfg.get("resume"):
        raise ValueError(
            f"trainings by the strategy {name} begin from the weights of the config; "
            "they cannot be resumed or begin with load_from"
        )
    for part in ("val_dataloader", "test_dataloader"):
        loader: Any = cfg.get(part) or {}
        if loader.get("sampler", {}).get("type") == "EvaluationSampler":
            # Each process takes part in each batch of the others.
            loader.sampler = dict(type="DefaultSampler", shuffle=False)


def _checks(cfg: Config) -> dict[str, dict]:
    hooks = cfg.get("default_hooks") or {}
    names = ["schema_check"] if cfg.get("strategy") else [*_CHECKS]  # nothing is loaded
    return {name: hooks.get(name) or _CHECKS[name] for name in names}


def _concerns_users(record: logging.LogRecord) -> bool:
    return not any(text in record.getMessage() for text in _NOT_FOR_USERS)


def _concerns_the_console(record: logging.LogRecord) -> bool:
    # The environment comes after a line of dashes.
    return not record.getMessage().lstrip("\n-").startswith(_FOR_THE_FILE)
