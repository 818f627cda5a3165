"""Sharpens the learned scale prior until each region has one pyramid level."""

from __future__ import annotations

import math
from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.hooks import Hook

from mmpar.models.layers import ScaleSelection
from mmpar.models.utils import unwrap_model
from mmpar.registry import HOOKS
from mmpar.visualization.scale_prior import draw_scale_prior, scale_prior_table


@HOOKS.register_module()
class ScaleAnnealingHook(Hook):
    """Anneal the temperature of a neck with ``scale.mode='learned'``, then choose.

    First the temperature is infinite: all levels weigh the same and nothing is learned
    about them. The maxima of finer levels are larger (at random weights the pooled
    features of P1 have twice the root mean square of P4's, nearly all of it the same
    for every person), and as long as the classifiers and their biases are random, the
    loss only says that large features do harm. Then the temperature falls exponentially
    from ``start`` to ``end``; the rest of the training adapts the model to the levels
    that were chosen. It follows from the iteration, and the choice is in the
    checkpoint, so a resumed run goes on as if nothing had happened. Logs the prior when
    it chooses and at the end, and draws it to ``scale_prior.png`` in the work dir.

    A validation before the choice reads the levels that are best so far, with which the
    model was never trained alone. So when the levels are chosen, CheckpointHook's best
    scores are forgotten: with ``save_best`` the first validation after the choice
    replaces the best checkpoint from before.

    Args:
        start: Temperature when the learning of scales begins, above 0.
        end: Temperature when the levels are chosen, above 0 and at most ``start``.
        begin_at: When the learning begins, as a share of all iterations.
        commit_at: When the levels are chosen, ``0 <= begin_at < commit_at < 1``.
    """

    def __init__(
        self,
        start: float = 1.0,
        end: float = 0.1,
        begin_at: float = 0.1,
        commit_at: float = 0.6,
    ) -> None:
        if not 0 < end <= start:
            raise ValueError(
                f"temperatures are 0 < end <= start, got start={start}, end={end}"
            )
        if not 0 <= begin_at < commit_at < 1:
            raise ValueError(
                "begin_at and commit_at are shares of the training, 0 <= begin_at < "
                f"commit_at < 1, got {begin_at} and {commit_at}: a model of which the "
                "levels are chosen at the very end was never trained as it is used"
            )
        self.start = start
        self.end = end
        self.begin_at = begin_at
        self.commit_at = commit_at
        self._committed = False

    def before_train(self, runner) -> None:
        """Look whether there is a scale prior to learn, or already learned."""
        self._committed = _selection(runner).frozen
        if self._committed and runner.iter == 0:  # load_from, not a resumed run
            runner.logger.warning(
                "the weights that were loaded bring chosen pyramid levels, which are "
                "kept: no scales are learned. To learn them anew, take "
                "neck.scale_selection.* out of the checkpoint's state_dict"
            )

    def before_train_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        """Set the temperature, or choose."""
        if self._committed:
            return
        progress = runner.iter / runner.max_iters
        selection = _selection(runner)
        selection.set_temperature(self._temperature(progress))
        if progress >= self.commit_at:
            selection.freeze()
            self._committed = True
            _report(runner, "chosen")
            _forget_best_scores(runner)

    def _temperature(self, progress: float) -> float:
        if progress < self.begin_at:
            return math.inf
        share = (progress - self.begin_at) / (self.commit_at - self.begin_at)
        return self.start * (self.end / self.start) ** min(share, 1)

    def after_train(self, runner) -> None:
        """Show the prior that the model has."""
        _report(runner, "at the end of the training")


def _selection(runner) -> ScaleSelection:
    model = unwrap_model(runner.model)
    selection = getattr(model.neck, "scale_selection", None)
    if selection is None:
        raise ValueError(
            "ScaleAnnealingHook found no scale prior to anneal; set model.neck.scale="
            "dict(mode='learned'), or remove the hook: "
            "default_hooks.scale_annealing=None"
        )
    return selection


def _forget_best_scores(runner) -> None:
    """Make CheckpointHook look for the best anew; it overwrites the old file."""
    hub = runner.message_hub
    # best_score, or with several metrics best_score_<metric> of each.
    scores = [key for key in hub.runtime_info if key.startswith("best_score")]
    for key in scores:
        hub.pop_info(key)
    if scores:
        runner.logger.info(
            "The best checkpoint is from now on the best with the chosen levels"
        )


def _report(runner, when: str) -> None:
    if not is_main_process():
        return
    selection = _selection(runner)
    model = unwrap_model(runner.model)
    names = [region.name for region in model.neck.regions]
    weights = selection.soft_weights().detach().cpu().numpy()
    table = scale_prior_table(names, weights, selection.levels())
    runner.logger.info(
        "Scale prior %s, temperature %.3g:\n%s", when, selection.temperature, table
    )
    path = Path(runner.work_dir) / "scale_prior.png"
    draw_scale_prior(path, names, weights, selection.levels())
