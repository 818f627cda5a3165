"""Sharpens the learned scale prior until each region has one pyramid level."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from mmengine.dist import is_main_process
from mmengine.hooks import Hook

from mmpar.evaluation.tables import text_table
from mmpar.models.layers import ScaleSelection
from mmpar.models.utils import unwrap_model
from mmpar.registry import HOOKS


@HOOKS.register_module()
class ScaleAnnealingHook(Hook):
    """Anneal the temperature of a neck with ``scale.mode='learned'``, then choose.

    At first the temperature is infinite: all levels weigh the same and nothing is
    learned about them. The maxima of finer levels are larger (at random weights the
    pooled features of P1 have twice the root mean square of P4's, nearly all of it the
    same for every person), and while the classifiers and their biases are random, the
    loss only says that large features do harm. Then the temperature falls exponentially
    from ``start`` to ``end``; the rest of the training adapts the model to the chosen
    levels. The temperature depends on the iteration alone, and the choice is in the
    checkpoint, so a resumed run continues as if nothing had happened.

    Logs the prior when it chooses and at the end, and gives a heat map of it to the
    visualizer, ``scale_prior``, which by default saves it in the work dir
    (``TIMESTAMP/vis_data/vis_image``).

    A validation before the choice reads the levels that are best so far, and the model
    was never trained on those alone. So when the levels are chosen, CheckpointHook's
    best scores are reset: with ``save_best`` the first validation after the choice
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
                f"commit_at < 1, got {begin_at} and {commit_at}: a model whose levels "
                "are chosen at the very end was never trained as it is used"
            )
        self.start = start
        self.end = end
        self.begin_at = begin_at
        self.commit_at = commit_at
        self._committed = False

    def before_train(self, runner) -> None:
        """Check whether the scale prior is to be learned, or already was."""
        self._committed = _selection(runner).frozen
        if self._committed and runner.iter == 0:  # load_from, not a resumed run
            runner.logger.warning(
                "the loaded weights bring chosen pyramid levels, which are kept: no "
                "scales are learned. To learn them again, remove "
                "neck.scale_selection.* from the checkpoint's state_dict"
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
            _reset_best_scores(runner)

    def _temperature(self, progress: float) -> float:
        if progress < self.begin_at:
            return math.inf
        share = (progress - self.begin_at) / (self.commit_at - self.begin_at)
        return self.start * (self.end / self.start) ** min(share, 1)

    def after_train(self, runner) -> None:
        """Report the prior that the model has."""
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


def _reset_best_scores(runner) -> None:
    """Have CheckpointHook look for a new best; it overwrites the old file."""
    hub = runner.message_hub
    # best_score, or with several metrics best_score_<metric> of each.
    scores = [key for key in hub.runtime_info if key.startswith("best_score")]
    for key in scores:
        hub.pop_info(key)
    if scores:
        runner.logger.info(
            "From now on the best checkpoint is the best with the chosen levels"
        )


def _report(runner, when: str) -> None:
    if not is_main_process():
        return
    # Matplotlib is not needed by those who import the engine.
    from mmpar.visualization.scale_prior import draw_scale_prior

    selection = _selection(runner)
    model = unwrap_model(runner.model)
    names = [region.name for region in model.neck.regions]
    weights = selection.soft_weights().detach().cpu().numpy()
    levels = selection.levels()
    runner.logger.info(
        "Scale prior %s, temperature %.3g:\n%s",
        when,
        selection.temperature,
        tabulate_prior(names, weights, levels),
    )
    image = draw_scale_prior(names, weights, levels)
    runner.visualizer.add_image("scale_prior", image, runner.iter)


def tabulate_prior(
    regions: Sequence[str], weights: np.ndarray, chosen: Sequence[int]
) -> str:
    """One row per region: the weight of each level and the level that it is read from.

    Args:
        regions: R names.
        weights: ``(R, L)``.
        chosen: Level of each region, 0 the finest.
    """
    levels = [f"P{level + 1}" for level in range(weights.shape[1])]
    rows = [["region", *levels, "read from"]]
    for name, row, level in zip(regions, weights, chosen):
        rows.append([name, *(f"{weight:.3f}" for weight in row), levels[level]])
    return text_table(rows)
