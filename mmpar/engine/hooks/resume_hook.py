"""Resumes a training with all of its state, or not at all."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any

from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop

from mmpar.engine.hooks.checkpoint_hook import BATCHES
from mmpar.engine.loops import ResumableEpochLoop
from mmpar.engine.optim_wrappers import each_wrapper
from mmpar.models.utils import unwrap_model
from mmpar.registry import HOOKS
from mmpar.utils.checkpoint_search import STATE

_GRADIENTS = "gradients"


@HOOKS.register_module()
class ResumeHook(Hook):
    """Refuse to resume from a file without optimizer and schedule.

    MMEngine continues from such a file, for example the best checkpoint, with a new
    optimizer and the learning rate of the first epoch, without a word.

    A checkpoint of an interrupted epoch is resumed within it. One of another number of
    batches per epoch is a warning: the batch size, the number of processes or the
    images were others.

    Where gradients are accumulated over several batches (``accumulative_counts``), a
    checkpoint between two steps holds them, which MMEngine drops. Several processes
    have sums of their own: theirs are lost with a warning.
    """

    priority = "HIGHEST"  # before LoadedWeightsHook, whose remedies differ

    def after_load_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Check that everything is there; find the place in the epoch.

        Raises:
            ValueError: It is not, or the schedule differs, or the loop cannot begin
                within an epoch.
        """
        if not runner._resume:
            return
        schedulers = runner.param_schedulers
        required = STATE if schedulers is None else (*STATE, "param_schedulers")
        absent = [key for key in required if not isinstance(checkpoint.get(key), Sized)]
        meta = checkpoint.get("meta", {})
        absent += [f"meta.{key}" for key in ("epoch", "iter") if key not in meta]
        if absent:
            raise ValueError(
                f"{runner._load_from} cannot be resumed from: it has no "
                f"{', '.join(absent)}. Best and published checkpoints hold weights "
                "only. Resume from the last one (--resume without a value, or with an "
                "epoch_*.pth), or begin a new training with these weights: "
                f"--cfg-options load_from={runner._load_from}"
            )
        saved = checkpoint.get("param_schedulers", [])
        if schedulers is not None and len(schedulers) != len(saved):
            raise ValueError(
                f"{runner._load_from} has {len(saved)} schedules, but the config's "
                f"param_scheduler has {len(schedulers)}; resume with the config that "
                "it was trained with"
            )
        meta.pop("config", None)  # MMEngine would execute this text
        self._take_gradients(runner, checkpoint)
        if isinstance(runner.train_loop, EpochBasedTrainLoop):
            self._find_place(runner, meta)

    def before_save_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Add the gradients that no step has used yet.

        Of several processes there are none: that they are lost is all that is noted.
        """
        wrappers = each_wrapper(runner.optim_wrapper)
        if "optimizer" not in checkpoint or all(w.should_update() for w in wrappers):
            return
        gradients = {}
        if get_world_size() == 1:
            parameters = unwrap_model(runner.model).named_parameters()
            gradients = {n: p.grad.cpu() for n, p in parameters if p.grad is not None}
        checkpoint[_GRADIENTS] = gradients

    def _take_gradients(self, runner: Any, checkpoint: dict) -> None:
        gradients = checkpoint.get(_GRADIENTS)
        if gradients is None:
            return
        for name, parameter in unwrap_model(runner.model).named_parameters():
            if name in gradients:
                parameter.grad = gradients[name].to(parameter.device)
        if not gradients:
            runner.logger.warning(
                "%s was written between two steps, without the gradients that several "
                "processes had accumulated: the training goes on without them",
                runner._load_from,
            )

    def _find_place(self, runner: Any, meta: dict) -> None:
        loop, done = runner.train_loop, meta.get(BATCHES, 0)
        if isinstance(loop, ResumableEpochLoop):
            loop.batches_done = done
        elif done:
            raise ValueError(
                f"{runner._load_from} was saved within an epoch, where "
                f"{type(loop).__name__} cannot begin; resume from the end of an epoch, "
                "or by train_cfg=dict(by_epoch=True, ...)"
            )
        batches = len(loop.dataloader)
        if meta["iter"] != meta["epoch"] * batches + done:
            within = f" and {done} batches of the next" if done else ""
            runner.logger.warning(
                "%s was saved after %d iterations, but %d epochs of %d batches%s are "
                "%d: the batch size, the number of processes or the images were "
                "others. Schedules that count iterations, and the rest of an "
                "interrupted epoch, are not those that the training began with",
                runner._load_from,
                meta["iter"],
                meta["epoch"],
                batches,
                within,
                meta["epoch"] * batches + done,
            )

    def before_train(self, runner: Any) -> None:
        """Log that nothing is left to train."""
        if not runner._resume:
            return
        if isinstance(runner.train_loop, EpochBasedTrainLoop):
            done, unit, field = runner.epoch, "epochs", "max_epochs"
        else:
            done, unit, field = runner.iter, "iterations", "max_iters"
        if done >= getattr(runner.train_loop, field):
            runner.logger.info(
                "This training is finished: %s holds %d of %d %s, nothing is left to "
                "train. With a larger train_cfg.%s it continues at the learning rate "
                "where its schedule ended",
                runner._load_from,
                done,
                getattr(runner.train_loop, field),
                unit,
                field,
            )
