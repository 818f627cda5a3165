"""Runs a validation that a killed run did not finish."""

from mmengine.hooks import Hook

from mmpar.registry import HOOKS

_DONE = "iter_of_last_validation"  # names from "val" on are logged


@HOOKS.register_module()
class DueValidationHook(Hook):
    """On resume, validate first if the checkpoint was written before its validation.

    An epoch's checkpoint is written before the epoch is validated. A run killed in
    between would never learn the score: another epoch would become the best, and the
    previous best might stay beside it. The checkpoint, written again with a new best,
    records that it was validated; schedules that monitor the score step once.
    """

    priority = "LOWEST"  # the others, CheckpointHook too, must be ready in before_train

    def before_train(self, runner) -> None:
        """Validate if the loop would have done so at this point."""
        loop = runner.train_loop
        by_epoch = getattr(loop, "dataloader_iterator", None) is None
        now = runner.epoch if by_epoch else runner.iter
        last = runner.max_epochs if by_epoch else runner.max_iters
        within = getattr(loop, "batches_done", 0) > 0  # an epoch after the last's end
        if runner.val_loop is None or within or now == 0 or now < loop.val_begin:
            return
        loop._decide_current_val_interval()
        due = now % loop.val_interval == 0 or now == last
        if due and runner.message_hub.runtime_info.get(_DONE) != runner.iter:
            runner.logger.info("The checkpoint was not validated yet: validating first")
            runner.val_loop.run()


@HOOKS.register_module()
class ValidatedHook(Hook):
    """Records, before they are saved, that this iteration's weights were validated."""

    priority = "LOW"

    def after_val_epoch(self, runner, metrics=None) -> None:
        """It goes into the checkpoint that a new best writes."""
        runner.message_hub.update_info(_DONE, runner.iter)
