"""How far scores can be believed: fitting a calibration, and measuring its error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logsumexp, softmax

from mmpar.evaluation.functional.multi_label import check_labelled_scores
from mmpar.structures import AttributeSchema, Calibration, SetSoftmax

METHODS = ("temperature", "platt")

NUM_BINS = 15

# Standard deviations of normal priors around the uncalibrated model: beside a hundred
# images they mean nothing, and they keep labels that scores separate from infinity.
_LOG_SCALE_STD = 1.0
_BIAS_STD = 5.0

_Loss = Callable[[float, float], tuple[float, float, float]]
"""Of a scale and a bias: the negative log likelihood and its two derivatives."""


@dataclass(frozen=True)
class FittedCalibration:
    """A calibration, and what there is to say about it.

    Attributes:
        calibration: The fitted numbers.
        notes: Per attribute why it keeps its scores, or None.
        set_notes: Per exclusive set why it has no softmax, or None.
    """

    calibration: Calibration
    notes: tuple[str | None, ...]
    set_notes: tuple[str | None, ...]


def fit_calibration(
    schema: AttributeSchema,
    logits: np.ndarray,
    labels: np.ndarray,
    method: str = "platt",
    set_softmax: bool = True,
) -> FittedCalibration:
    """Fit a calibration to the labels of a split, by their likelihood.

    Each attribute has its scale, and with ``'platt'`` its bias; then each exclusive set
    has its softmax on top, unless the logits are log odds of one already. Known labels
    count alone. An attribute without a positive or a negative keeps its scores, with a
    note. Weak normal priors around the uncalibrated model keep the numbers finite.

    Args:
        schema: The A attributes.
        logits: ``(N, A)``.
        labels: ``(N, A)``: 1 present, 0 absent, -1 unknown.
        method: ``'temperature'`` or ``'platt'``.
        set_softmax: False for the logits of a head with ``exclusive_softmax``, on which
            a second softmax would do harm.

    Raises:
        ValueError: Arguments are not as above.
    """
    if method not in METHODS:
        raise ValueError(f"the method is one of {METHODS}, got {method!r}")
    logits = np.asarray(logits, np.float64)
    check_labelled_scores(expit(logits), labels)
    fitted = [
        _fit_attribute(logits[:, a], labels[:, a], method) for a in range(len(schema))
    ]
    scale, bias, notes = zip(*fitted)
    z = logits * scale + bias
    sets: list[SetSoftmax | None] = []
    set_notes = []
    taken: set[int] = set()
    for members in schema.exclusive_indices:
        columns = list(members)
        fitted_set: tuple[SetSoftmax | None, str | None]
        if not set_softmax:
            fitted_set = None, "the model's scores are of a softmax already"
        elif taken.isdisjoint(members):
            fitted_set = _fit_set(z[:, columns], labels[:, columns])
        else:
            fitted_set = None, "it shares attributes with a set that has one"
        sets.append(fitted_set[0])
        set_notes.append(fitted_set[1])
        taken.update(members if sets[-1] else ())
    calibration = Calibration(schema, scale, bias, tuple(sets))
    return FittedCalibration(calibration, notes, tuple(set_notes))


def _fit_attribute(
    logits: np.ndarray, labels: np.ndarray, method: str
) -> tuple[float, float, str | None]:
    """Scale and bias; unchanged scores, and the reason, without one of the classes."""
    known = labels >= 0
    x, y = logits[known], labels[known] == 1
    positives, negatives = int(y.sum()), int((~y).sum())
    if not positives or not negatives:
        counts = f"{positives} positives and {negatives} negatives"
        return 1.0, 0.0, f"{counts} in the split, so it keeps its scores"
    with_bias = method == "platt"

    def loss(scale: float, bias: float) -> tuple[float, float, float]:
        z = scale * x + bias
        error = expit(z) - y
        value = np.logaddexp(0, z).sum() - z[y].sum()
        return value, (error * x).sum(), error.sum() * with_bias

    return (*_minimize(loss), None)


def _fit_set(z: np.ndarray, labels: np.ndarray) -> tuple[SetSoftmax | None, str | None]:
    """Temperature and "none of them", on images of which the answer is known."""
    answer = set_truth(labels)
    if not ((answer >= 0) & (answer < z.shape[1])).any():
        return None, "no image of the split shows one of its members"
    members, answer = z[answer >= 0], answer[answer >= 0]
    rows = np.arange(len(members))

    def loss(scale: float, bias: float) -> tuple[float, float, float]:
        inner = np.column_stack([scale * members, np.full(len(members), bias)])
        value = (logsumexp(inner, axis=1) - inner[rows, answer]).sum()
        error = softmax(inner, axis=1)
        error[rows, answer] -= 1
        return value, (error[:, :-1] * members).sum(), error[:, -1].sum()

    scale, bias = _minimize(loss)
    return SetSoftmax(1 / scale, bias), None


def _minimize(loss: _Loss) -> tuple[float, float]:
    """Scale and bias of the least loss, by BFGS in the logarithm of the scale."""

    def penalised(x: np.ndarray) -> tuple[float, np.ndarray]:
        scale = np.exp(x[0])
        value, by_scale, by_bias = loss(scale, x[1])
        stds = np.array([_LOG_SCALE_STD, _BIAS_STD])
        gradient = np.array([by_scale * scale, by_bias]) + x / stds**2
        return value + ((x / stds) ** 2).sum() / 2, gradient

    found = minimize(penalised, np.zeros(2), jac=True, method="BFGS")
    log_scale, bias = found.x.tolist()
    return float(np.exp(log_scale)), bias


@dataclass(frozen=True)
class Reliability:
    """Scores in bins of equal width, with how often they were right.

    Attributes:
        count: Images in each bin of each attribute, ``(A, B)``.
        score: Their mean score; NaN in an empty bin.
        positive: The share of positives among them; NaN in an empty bin.
    """

    count: np.ndarray
    score: np.ndarray
    positive: np.ndarray

    @property
    def errors(self) -> np.ndarray:
        """Expected calibration error, ``(A,)``; NaN where nothing is known.

        That is the mean of ``|positive - score|`` over images.
        """
        gaps = np.nan_to_num(np.abs(self.positive - self.score)) * self.count
        known = self.count.sum(axis=1)
        return np.where(known > 0, gaps.sum(axis=1) / np.maximum(known, 1), np.nan)


def reliability(
    scores: np.ndarray, labels: np.ndarray, num_bins: int = NUM_BINS
) -> Reliability:
    """Sort scores into bins, as torchmetrics does.

    Its ``BinaryCalibrationError`` compares the score of the positive class with the
    share of positives. Bins hold their lower edge; a score of 1 is in a bin of its own.

    Args:
        scores: Probabilities ``(N, A)``.
        labels: ``(N, A)``: 1 present, 0 absent, -1 unknown, which counts nowhere.
        num_bins: B - 1, from 0 to 1.
    """
    check_labelled_scores(scores, labels)
    num_attributes = labels.shape[1]
    known = labels >= 0
    bins = sort_into_bins(scores, num_bins)
    count, total, positive = (
        np.bincount(
            bins[known],
            None if weights is None else weights[known],
            minlength=num_attributes * (num_bins + 1),
        ).reshape(num_attributes, num_bins + 1)
        for weights in (None, scores, labels == 1)
    )
    divisor = np.where(count > 0, count, np.nan)
    return Reliability(count, total / divisor, positive / divisor)


def sort_into_bins(scores: np.ndarray, num_bins: int = NUM_BINS) -> np.ndarray:
    """The bin of each score, see :func:`reliability`, ``(N, A)``.

    Bins are numbered through all attributes: B = num_bins + 1 of the first, and so on.
    """
    edges = np.linspace(0, 1, num_bins + 1)
    bins = np.searchsorted(edges, scores.astype(np.float64), side="right") - 1
    return bins + np.arange(scores.shape[1]) * (num_bins + 1)


def calibration_errors(
    scores: np.ndarray, labels: np.ndarray, num_bins: int = NUM_BINS
) -> np.ndarray:
    """Expected calibration error of each attribute, ``(A,)``, in [0, 1].

    >>> scores, labels = np.array([[0.1], [0.1], [0.9]]), np.array([[0], [1], [1]])
    >>> calibration_errors(scores, labels).round(3)  # |0.1 - 0.5| and |0.9 - 1|
    array([0.3])

    Args:
        scores: Probabilities ``(N, A)``.
        labels: ``(N, A)``: 1 present, 0 absent, -1 unknown.
        num_bins: Of equal width, see :func:`reliability`.

    Returns:
        NaN for an attribute of which nothing is known.
    """
    return reliability(scores, labels, num_bins).errors


def ideal_calibration_errors(
    scores: np.ndarray, labels: np.ndarray, rounds: int = 20, seed: int = 0
) -> np.ndarray:
    """Expected calibration errors of scores that are exactly the probabilities.

    They are not 0, as the positives of a bin vary by chance, and no calibration gets
    below them: means over labels drawn from the scores.

    Args:
        scores: Probabilities ``(N, A)``.
        labels: ``(N, A)``; those that are -1 stay unknown.
        rounds: How often labels are drawn.
        seed: Of the draws.

    Returns:
        ``(A,)``, as :func:`calibration_errors`.
    """
    rng = np.random.default_rng(seed)
    errors = []
    for _ in range(rounds):
        drawn = (rng.random(scores.shape) < scores).astype(np.int8)
        errors.append(calibration_errors(scores, np.where(labels < 0, -1, drawn)))
    return np.mean(errors, axis=0)


def set_truth(labels: np.ndarray) -> np.ndarray:
    """The answer of an exclusive set as labels give it.

    >>> set_truth(np.array([[0, 1, 0], [0, 0, 0], [0, 1, -1], [1, 1, 0]]))
    array([ 1,  3, -1, -1])

    Args:
        labels: Of its K members, ``(N, K)``: 1 present, 0 absent, -1 unknown.

    Returns:
        ``(N,)``: position of the one member that is present, K for none, -1 where two
        are or not all are known. Images with one that is present and others unknown are
        left out as those with none are, so that the shares of the answers stay.
    """
    present = labels == 1
    one = np.where(present.any(axis=1), present.argmax(axis=1), labels.shape[1])
    clear = (labels >= 0).all(axis=1) & (present.sum(axis=1) <= 1)
    return np.where(clear, one, -1)
