"""Fit the decision rule of a trained model on val, and see on test what it is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import mmpar.registry  # noqa: F401  checks the installation before MMEngine is imported

# isort: split
import numpy as np
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from scipy.special import logit

from mmpar.apis.model_files import (
    OF_DATA,
    load_model,
    require_registered,
    write_model_file,
)
from mmpar.evaluation.functional import (
    Interval,
    Reliability,
    bootstrap,
    calibration_errors,
    coverage_of_answers,
    fit_calibration,
    fit_conformal,
    fit_thresholds,
    ideal_calibration_errors,
    multi_label_scores,
    reliability,
)
from mmpar.evaluation.predictions import predict_split
from mmpar.evaluation.tables import text_table
from mmpar.structures import DecisionRule, ModelCard, Preprocessing
from mmpar.utils.atomic import write_atomically
from mmpar.utils.config import merge_options
from mmpar.utils.config_data import read_config_data
from mmpar.utils.model_file import existing_file, name_by_hash

Say = Callable[[str], Any]


def fit_model_decisions(
    source: str | Path,
    out: str | Path,
    config: str | None = None,
    options: dict[str, Any] | None = None,
    diagrams: str | Path | None = None,
    say: Say = print,
    **wishes: Any,
) -> Path:
    """Fit a model's decision rule on val, report it on test, and publish both.

    Args:
        source: A published model, a checkpoint or a work dir.
        out: See :func:`write_model_file`.
        config: Whose val and test splits are used; that of the work dir if None.
        options: Fields of the config to override.
        diagrams: Image file for the reliability on test, before and after.
        say: Called with each line of the report.
        **wishes: See :func:`fit_decision_rule`.

    Returns:
        The path of the published model.

    Raises:
        FileExistsError: The same weights are published there.
        ValueError: The splits do not suit the model, or see :func:`load_model` and
            :func:`fit_decision_rule`.
    """
    cfg = _read_data_config(source, config)
    merge_options(cfg, options or {})
    model, card = load_model(source)
    file = name_by_hash(out, card)
    if file.exists():  # said before the minutes that the fit takes
        raise existing_file(file)
    val, test = (_predict_logits(model, card, cfg, name) for name in ("val", "test"))
    rule = fit_decision_rule(card.decision, val, say=say, **wishes)
    say(text_table(attribute_rows(card.decision, rule, val, test)))
    say(text_table(comparison_rows(compare_rules(card.decision, rule, test))))
    count = len({*test.persons.tolist()} - {""})
    say(f"fitted on the {len(val.labels)} images of val")
    persons = f"{count} persons" if count else "persons unknown"
    say(f"measured on the {len(test.labels)} images of test, {persons}")
    say(f"decision: {rule}")
    if diagrams is not None:
        write_atomically(diagrams, draw_rules(card.decision, rule, test))
    return write_model_file(out, model.state_dict(), replace(card, decision=rule))


def _read_data_config(source: str | Path, config: str | None) -> Config:
    if config is not None:
        return Config.fromfile(config)
    found = sorted(Path(source).glob("*.py")) if Path(source).is_dir() else []
    if len(found) != 1:
        raise ValueError(
            f"{source} does not say where its validation and test images are; name a "
            "config that does: --config configs/baseline/baseline_r50_peta.py"
        )
    fields = read_config_data(found[0])
    for part in ("val_dataloader", "test_dataloader"):
        require_registered(fields.get(part), f"{found[0]}: {part}", OF_DATA)
    return Config(fields, filename=str(found[0]))


def _predict_logits(
    model: Any, card: ModelCard, cfg: Config, split: str
) -> LabelledLogits:
    """Predict the images of ``cfg``'s val or test loader.

    Raises:
        ValueError: There is no such loader, its images are prepared otherwise than the
            model's, or it is of another attribute schema.
    """
    loader_cfg = cfg.get(f"{split}_dataloader")
    if not loader_cfg:
        raise ValueError(
            f"{cfg.filename} has no {split}_dataloader: decisions are fitted on val "
            "and measured on test, so name a config with both by --config"
        )
    pipeline = loader_cfg.dataset.get("pipeline") or ()
    normalization = cfg.get("data_preprocessor") or cfg.model.get("data_preprocessor")
    given = Preprocessing.from_config(pipeline, normalization)
    if given != card.preprocessing:
        raise ValueError(
            f"{split}_dataloader of {cfg.filename} prepares images by {given}, but the "
            f"model {card.name} by {card.preprocessing}; use the model's own config"
        )
    with DefaultScope.overwrite_default_scope("mmpar"):
        loader = Runner.build_dataloader(loader_cfg, seed=0)
        card.schema.require_same(
            loader.dataset.schema, "the model", f"{split}_dataloader of {cfg.filename}"
        )
        model.head.set_decision_rule(DecisionRule(card.schema))
        found = predict_split(model, loader)
    return LabelledLogits.from_scores(
        found.scores, found.labels, found.person_id, bool(model.head.log_odds.sets)
    )


@dataclass(frozen=True)
class LabelledLogits:
    """What a model says of the N images of a split, and what is true.

    Attributes:
        logits: ``(N, A)``, float64.
        labels: ``(N, A)``: 1 present, 0 absent, -1 unknown.
        persons: ``(N,)``, str; empty where the person is not known.
        of_softmax: Whether exclusive attributes compete in the model already.
    """

    logits: np.ndarray
    labels: np.ndarray
    persons: np.ndarray
    of_softmax: bool = False

    @classmethod
    def from_scores(
        cls,
        scores: np.ndarray,
        labels: np.ndarray,
        persons: np.ndarray,
        of_softmax: bool = False,
    ) -> LabelledLogits:
        """From scores by the sigmoid alone, in float32.

        Those that are 1 in float32 stand for a logit of 16.6, the greatest of others.
        """
        tiny = np.finfo(np.float32)
        return cls(
            logit(scores.astype(np.float64).clip(tiny.tiny, 1 - tiny.epsneg)),
            labels,
            persons,
            of_softmax,
        )


def fit_decision_rule(
    rule: DecisionRule,
    val: LabelledLogits,
    objective: str | None = "mA",
    precision: float | None = None,
    method: str | None = None,
    coverage: float | None = None,
    say: Say = print,
) -> DecisionRule:
    """Fit thresholds, calibration and quantiles of "not sure" on a split.

    Args:
        rule: What is not fitted stays as it is there. Quantiles hold for the scores of
            one calibration: with another they are fitted anew or left out.
        val: Of images that the model was not trained on.
        objective: Of the thresholds, see :func:`fit_thresholds`; None keeps them.
        precision: With the objective ``'precision'``.
        method: Of the calibration, see :func:`fit_calibration`; None keeps it.
        coverage: Of the answers, see :func:`fit_conformal`; None keeps the quantiles.
        say: Called with each line about what could not be fitted.

    Raises:
        ValueError: An argument is not as above.
    """
    schema = rule.schema
    if method is not None:
        fitted = fit_calibration(
            schema, val.logits, val.labels, method, set_softmax=not val.of_softmax
        )
        _say_notes(schema.names, fitted.notes, "calibration", say)
        sets = [", ".join(members) for members in schema.exclusive]
        _say_notes(sets, fitted.set_notes, "softmax", say)
        rule = replace(rule, calibration=fitted.calibration, conformal=None)
    # Models decide in float32, so thresholds are chosen between such numbers.
    scores = rule.scores(val.logits).astype(np.float32)
    if objective is not None:
        found = fit_thresholds(scores, val.labels, objective, precision)
        _say_notes(schema.names, found.notes, "threshold", say)
        rule = replace(rule, thresholds=found.thresholds)
    if coverage is not None:
        quantiles = fit_conformal(rule, scores, val.labels, coverage)
        rule = replace(rule, conformal=quantiles)
    return rule


def _say_notes(
    names: Sequence[str], notes: Sequence[str | None], what: str, say: Say
) -> None:
    for name, note in zip(names, notes):
        if note is not None:
            say(f"{what} of {name}: {note}")


_MEASURES = ("mA", "instance F1", "label F1", "ECE", "coverage", "not sure")


def compare_rules(
    before: DecisionRule, after: DecisionRule, test: LabelledLogits, rounds: int = 1000
) -> dict[str, tuple[Interval | None, Interval | None, Interval | None]]:
    """What a rule is worth beside another one, on images that neither has seen.

    Intervals hold 95 % of the bootstrap's rounds, which resample persons where they are
    known.

    Args:
        before: The one rule.
        after: The other.
        test: The images.
        rounds: Of the bootstrap.

    Returns:
        Measure to its value before, after, and the change, in percent; None without
        quantiles. ``mA`` and ``label F1`` are means over the attributes that have both
        classes among the images, ``ECE`` is the mean over attributes. ``ideal ECE`` is
        what it would be if the scores were exactly the probabilities, for so few
        images; it has no interval. ``coverage`` is how often the truth is among the
        answers, with "not sure" for both, and ``not sure`` how often that is said.
    """
    parts = [_RuleOnImages(rule, test) for rule in (before, after)]

    def measure(rows: np.ndarray) -> np.ndarray:
        first, second = (part.measure(rows) for part in parts)
        return np.stack([first, second, second - first], axis=1).ravel()

    found = bootstrap(measure, test.persons, rounds)
    known = [None if np.isnan(one.value) else one for one in found]
    result = {
        name: (known[3 * i], known[3 * i + 1], known[3 * i + 2])
        for i, name in enumerate(_MEASURES)
    }
    ideal = [float(part.ideal_error()) for part in parts]
    values = (*ideal, ideal[1] - ideal[0])
    first, second, change = (Interval(value, value, value) for value in values)
    return {**result, "ideal ECE": (first, second, change)}


def comparison_rows(
    comparison: dict[str, tuple[Interval | None, Interval | None, Interval | None]],
) -> list[list[str]]:
    """A table of a comparison, with a header."""
    header = ["%, with its 95 % interval", "before", "after", "change"]
    body = [
        [name, *("-" if one is None else str(one) for one in values)]
        for name, values in comparison.items()
    ]
    return [header, *body]


class _RuleOnImages:
    """Scores, decisions and possible answers of a rule, measured on any rows."""

    def __init__(self, rule: DecisionRule, images: LabelledLogits) -> None:
        self.labels = images.labels
        self.scores = rule.scores(images.logits).astype(np.float32)
        self.decisions = rule.decide(self.scores)
        self.possible = rule.possible(self.scores) if rule.conformal else None

    def ideal_error(self) -> float:
        """In percent, averaged over attributes."""
        errors = ideal_calibration_errors(self.scores, self.labels)
        return 100 * float(np.nanmean(errors))

    def measure(self, rows: np.ndarray) -> np.ndarray:
        """The numbers of ``_MEASURES`` in percent, NaN where there is none."""
        labels = self.labels[rows]
        result = multi_label_scores(self.decisions[rows], labels, "skip")
        coverage = unsure = np.nan
        if self.possible is not None:
            possible = self.possible[rows]
            coverage = np.nanmean(coverage_of_answers(possible, labels))
            unsure = possible.all(axis=-1).mean()
        return 100 * np.array(
            [
                result.mean_accuracy,
                result.instance_f1,
                result.label_f1,
                np.nanmean(calibration_errors(self.scores[rows], labels)),
                coverage,
                unsure,
            ]
        )


def attribute_rows(
    before: DecisionRule, after: DecisionRule, val: LabelledLogits, test: LabelledLogits
) -> list[list[str]]:
    """A table with a header, one row per attribute: what was fitted and its effect."""
    schema = after.schema
    parts = [_RuleOnImages(rule, test) for rule in (before, after)]
    errors = [100 * calibration_errors(part.scores, test.labels) for part in parts]
    accuracy = [
        100 * multi_label_scores(p.decisions, test.labels).attribute_accuracy
        for p in parts
    ]
    positives, known = (val.labels == 1).sum(axis=0), (val.labels >= 0).sum(axis=0)
    header = ["attribute", "val positives", "threshold", "scale", "bias"]
    header += ["test mA %", "after", "ECE %", "after", "not sure %"]
    rows = [header]
    for a, name in enumerate(schema.names):
        row = [name, f"{positives[a]} of {known[a]}", f"{after.thresholds[a]:.3f}"]
        one = after.calibration
        row += [f"{one.scale[a]:.2f}", f"{one.bias[a]:.2f}"] if one else ["-", "-"]
        row += [f"{v[a]:.1f}" for v in (*accuracy, *errors)]
        possible = parts[1].possible
        unsure = (
            "-" if possible is None else f"{100 * possible[:, a].all(-1).mean():.1f}"
        )
        rows.append([*row, unsure])
    return rows


def draw_rules(
    before: DecisionRule, after: DecisionRule, test: LabelledLogits
) -> bytes:
    """The reliability of two rules per attribute, as a PNG image."""
    from mmpar.visualization.reliability import draw_reliability

    found: list[Reliability] = [
        reliability(rule.scores(test.logits).astype(np.float32), test.labels)
        for rule in (before, after)
    ]
    return draw_reliability(after.schema.names, *found)
