"""From logits to answers: probabilities, decisions, and "not sure", in numpy alone.

A :class:`DecisionRule` belongs to a trained model as its schema does. It holds what was
fitted on the validation split: thresholds, the calibration of the scores, and the
quantiles of conformal prediction.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np

from mmpar.structures.attribute_schema import AttributeSchema
from mmpar.structures.plain_data import require_fields, require_type
from mmpar.structures.thresholds import (
    DEFAULT,
    Threshold,
    build_thresholds,
    describe_thresholds,
)
from mmpar.utils.repeats import repeated

YES, NO, NOT_SURE = "yes", "no", "not sure"
_TINY = 1e-12
_Part = TypeVar("_Part")


@dataclass(frozen=True)
class SetSoftmax:
    """The softmax over the members of one exclusive set and "none of them".

    Args:
        temperature: Divides the members' logits, above 0.
        none: Logit of "none of them".
    """

    temperature: float = 1.0
    none: float = 0.0

    def __post_init__(self) -> None:
        for name, above in (("temperature", 0.0), ("none", -math.inf)):
            value = _number(getattr(self, name), name, above=above)
            object.__setattr__(self, name, value)


@dataclass(frozen=True)
class Calibration:
    """How logits become probabilities.

    Attribute i alone has ``z_i = scale_i logit_i + bias_i`` and ``p_i = sigmoid(z_i)``,
    which is temperature scaling (Guo et al., arXiv 1706.04599) without a bias and
    Platt's scaling with one. In an exclusive set with a softmax it is ``p_i = exp(z_i /
    T) / (exp(none) + sum_j exp(z_j / T))``. With T = 1 and none = 0 that is what
    independent attributes give once it is known that a person has at most one of them.

    Args:
        schema: The attributes.
        scale: One number per attribute, above 0, so that the order of images stays.
        bias: One number per attribute.
        softmax: One entry per exclusive set of the schema, None for a set whose members
            stay alone. By default they all do.

    Raises:
        ValueError: Other counts, a number that is not finite, a scale or a temperature
            that is not above 0, or an attribute in two sets with a softmax.
    """

    schema: AttributeSchema
    scale: tuple[float, ...]
    bias: tuple[float, ...]
    softmax: tuple[SetSoftmax | None, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.schema)
        for name, above in (("scale", 0.0), ("bias", -math.inf)):
            values = getattr(self, name)
            _check_count(values, count, name, "attribute")
            numbers = (_number(v, f"{name}[{i}]", above) for i, v in enumerate(values))
            object.__setattr__(self, name, tuple(numbers))
        softmax = tuple(self.softmax) or (None,) * len(self.schema.exclusive)
        object.__setattr__(self, "softmax", softmax)
        _check_sets(self.schema, softmax, "softmax")

    @property
    def softmax_sets(self) -> tuple[tuple[tuple[int, ...], SetSoftmax], ...]:
        """Positions of the members, and the softmax, of each set that has one."""
        pairs = zip(self.schema.exclusive_indices, self.softmax)
        return tuple((members, one) for members, one in pairs if one is not None)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Probabilities ``(..., A)``, float64, of logits ``(..., A)``."""
        z = np.asarray(logits, np.float64) * self.scale + self.bias
        scores = sigmoid(z)
        for members, softmax in self.softmax_sets:
            inner = z[..., members] / softmax.temperature
            none = np.full_like(inner[..., :1], softmax.none)
            total = np.logaddexp.reduce(np.append(inner, none, axis=-1), axis=-1)
            scores[..., members] = np.exp(inner - total[..., None])
        return scores

    def to_dict(self) -> dict[str, Any]:
        """Plain containers only, fit for JSON; without the schema."""
        return dict(
            scale=list(self.scale),
            bias=list(self.bias),
            softmax=[
                one and dict(temperature=one.temperature, none=one.none)
                for one in self.softmax
            ],
        )

    @classmethod
    def from_dict(cls, schema: AttributeSchema, data: Mapping[str, Any]) -> Calibration:
        """The inverse of :meth:`to_dict`; ``ValueError`` names a wrong field."""
        where = "decision.calibration"
        require_fields(data, ("scale", "bias", "softmax"), where)
        softmax = []
        for i, one in enumerate(_list(data["softmax"], f"{where}.softmax")):
            if one is not None:
                require_fields(one, ("temperature", "none"), f"{where}.softmax[{i}]")
                one = _build(SetSoftmax, f"{where}.softmax[{i}]", **one)
            softmax.append(one)
        numbers = {
            name: _list(data[name], f"{where}.{name}") for name in ("scale", "bias")
        }
        _check_count(softmax, len(schema.exclusive), f"{where}.softmax", "set")
        return _build(cls, where, schema=schema, softmax=tuple(softmax), **numbers)


@dataclass(frozen=True)
class Conformal:
    """Which answers stay plausible at a wanted coverage: split conformal prediction.

    An answer is implausible when one minus its probability exceeds its quantile of a
    calibration split, so that the true answer stays plausible for the wanted share of
    new images that are like those of the split (Angelopoulos and Bates, arXiv
    2107.07511). Whether that share holds for each answer by itself or for all answers
    together depends on whether their quantiles were taken apart or together.

    Args:
        schema: The attributes.
        coverage: The wanted share, above 0 and below 1.
        attributes: Per attribute the quantiles of absence and of presence, in [0, 1];
            with 1 an answer is always plausible.
        sets: Per exclusive set of the schema the quantiles of its members and, last, of
            "none of them", or None for a set whose members are answered alone. By
            default they all are.

    Raises:
        ValueError: Other counts, numbers out of range, or an attribute in two sets with
            quantiles.
    """

    schema: AttributeSchema
    coverage: float
    attributes: tuple[tuple[float, float], ...]
    sets: tuple[tuple[float, ...] | None, ...] = ()

    def __post_init__(self) -> None:
        coverage = _number(self.coverage, "coverage", above=0, below=1)
        object.__setattr__(self, "coverage", coverage)
        _check_count(self.attributes, len(self.schema), "attributes", "attribute")
        attributes = tuple(
            _quantiles(pair, f"attributes[{i}]", 2)
            for i, pair in enumerate(self.attributes)
        )
        object.__setattr__(self, "attributes", attributes)
        sets = tuple(self.sets) or (None,) * len(self.schema.exclusive)
        _check_sets(self.schema, sets, "sets")
        checked = tuple(
            one if one is None else _quantiles(one, f"sets[{i}]", len(members) + 1)
            for i, (one, members) in enumerate(zip(sets, self.schema.exclusive))
        )
        object.__setattr__(self, "sets", checked)

    def plausible(self, scores: np.ndarray) -> np.ndarray:
        """Whether absence and presence are plausible, each attribute by itself.

        Args:
            scores: Probabilities ``(..., A)``.

        Returns:
            Bool, ``(..., A, 2)``. Neither can be plausible.
        """
        answers = np.stack([1 - scores, scores], axis=-1)
        return np.asarray(1 - answers <= np.array(self.attributes))

    def plausible_in_set(self, index: int, probabilities: np.ndarray) -> np.ndarray:
        """Whether each member of an exclusive set, and "none of them", is plausible.

        Args:
            index: Of a set with quantiles, in ``schema.exclusive``.
            probabilities: Of the members and of "none of them", ``(..., K + 1)``.

        Returns:
            Bool, ``(..., K + 1)``.
        """
        return np.asarray(1 - probabilities <= np.array(self.sets[index]))

    def to_dict(self) -> dict[str, Any]:
        """Plain containers only, fit for JSON; without the schema."""
        return dict(
            coverage=self.coverage,
            attributes=[list(pair) for pair in self.attributes],
            sets=[one and list(one) for one in self.sets],
        )

    @classmethod
    def from_dict(cls, schema: AttributeSchema, data: Mapping[str, Any]) -> Conformal:
        """The inverse of :meth:`to_dict`; ``ValueError`` names a wrong field."""
        where = "decision.conformal"
        require_fields(data, ("coverage", "attributes", "sets"), where)
        attributes = _list(data["attributes"], f"{where}.attributes")
        sets = _list(data["sets"], f"{where}.sets")
        for name, rows in (("attributes", attributes), ("sets", sets)):
            for i, row in enumerate(rows):
                if row is not None or name == "attributes":
                    _list(row, f"{where}.{name}[{i}]")
        _check_count(sets, len(schema.exclusive), f"{where}.sets", "set")
        return _build(
            cls,
            where,
            schema=schema,
            coverage=data["coverage"],
            attributes=attributes,
            sets=sets,
        )


@dataclass(frozen=True)
class DecisionRule:
    """How the logits of a model become scores, decisions and answers.

    >>> ages = ("Young", "Adult", "Old")
    >>> schema = AttributeSchema(("Hat", *ages), dict(age=ages), exclusive=[ages])
    >>> rule = DecisionRule(schema, dict(Hat=0.3))
    >>> scores = rule.scores(np.array([-0.5, -2.0, 0.5, 0.4]))
    >>> scores.round(2)
    array([0.38, 0.12, 0.62, 0.6 ])
    >>> rule.decide(scores)
    array([ True, False,  True, False])
    >>> best = rule.groups(scores[None])[0]["age"]
    >>> best["best"], best["present"], round(best["margin"], 2)
    ('Adult', True, 0.02)

    Args:
        schema: The attributes.
        thresholds: In the forms that a head takes; 0.5 by default.
        calibration: How logits become probabilities; by the sigmoid alone if None.
        conformal: Quantiles for "not sure", which cannot be answered if None.
        exclusive: Whether at most one member of an exclusive set is decided present.

    Raises:
        ValueError: Thresholds are not numbers in [0, 1], one per attribute, or
            calibration or conformal are of another schema.
    """

    schema: AttributeSchema
    thresholds: tuple[float, ...]
    calibration: Calibration | None = None
    conformal: Conformal | None = None
    exclusive: bool = True

    def __init__(
        self,
        schema: AttributeSchema,
        thresholds: Threshold = DEFAULT,
        calibration: Calibration | None = None,
        conformal: Conformal | None = None,
        exclusive: bool = True,
    ) -> None:
        values = dict(
            schema=schema,
            thresholds=build_thresholds(thresholds, schema),
            calibration=calibration,
            conformal=conformal,
            exclusive=exclusive,
        )
        for name, value in values.items():
            object.__setattr__(self, name, value)
        for part in (calibration, conformal):
            if part is not None:
                what = f"the {type(part).__name__.lower()}"
                schema.require_same(part.schema, "the decision rule", what)
                if schema.exclusive != part.schema.exclusive:
                    raise ValueError(
                        f"the decision rule has the exclusive sets {schema.exclusive}, "
                        f"{what} has {part.schema.exclusive}; fit it for this schema"
                    )
        if not isinstance(exclusive, bool):
            raise ValueError(f"exclusive is True or False, got {exclusive!r}")

    def __str__(self) -> str:
        """What it does in a few words, for a line of the log."""
        parts = [f"thresholds: {describe_thresholds(self.thresholds, self.schema)}"]
        if self.calibration:
            parts.append("calibrated scores")
            names = zip(exclusive_set_names(self.schema), self.calibration.softmax)
            softmax = [name for name, one in names if one]
            parts += [f"softmax within {', '.join(softmax)}"] if softmax else []
        if self.exclusive and self.schema.exclusive:
            parts.append("at most one of each exclusive set")
        if self.conformal:
            parts.append(f'"not sure" at coverage {self.conformal.coverage:g}')
        return "; ".join(parts)

    def scores(self, logits: np.ndarray) -> np.ndarray:
        """Probabilities ``(..., A)``, float64, of logits ``(..., A)``."""
        if self.calibration is None:
            return sigmoid(np.asarray(logits, np.float64))
        return self.calibration.probabilities(logits)

    def decide(self, scores: np.ndarray) -> np.ndarray:
        """Decisions: a score above its threshold is a positive.

        With ``exclusive``, of each exclusive set only the member stays whose score is
        the most above its threshold, the first of the schema if several are. Where a
        wrong "present" costs the threshold and a missed one the rest to 1, that member
        is the best choice.

        Args:
            scores: Probabilities ``(..., A)``, compared in their own precision.

        Returns:
            Bool, ``(..., A)``.

        Raises:
            ValueError: Scores are not probabilities, or of another number of
                attributes.
        """
        return self._decide(self._lead(scores))

    def _decide(self, lead: np.ndarray) -> np.ndarray:
        decisions = lead > 0
        for members in self.schema.exclusive_indices if self.exclusive else ():
            inner = np.where(decisions[..., members], lead[..., members], 0)
            best = np.arange(len(members)) == inner.argmax(axis=-1)[..., None]
            decisions[..., members] &= best
        return decisions

    def groups(self, scores: np.ndarray) -> list[dict[str, dict[str, Any]]]:
        """The best member of each exclusive set, for each image.

        Args:
            scores: Probabilities ``(B, A)``.

        Returns:
            For each image the name of the set, as in :func:`exclusive_set_names`, to
            ``best``, the member whose score is the most above its threshold, its
            ``score``, the ``margin`` by which it leads the next in this, and whether it
            is decided ``present``.
        """
        lead = self._lead(scores)
        decisions = self._decide(lead)
        answers: list[dict[str, dict[str, Any]]] = [{} for _ in scores]
        names = exclusive_set_names(self.schema)
        rows = np.arange(len(scores))
        for name, members in zip(names, self.schema.exclusive_indices):
            order = np.argsort(-lead[:, members], axis=1, kind="stable")
            best, second = np.asarray(members)[order[:, :2]].T
            columns = zip(
                best.tolist(),
                scores[rows, best].tolist(),
                (lead[rows, best] - lead[rows, second]).tolist(),
                decisions[rows, best].tolist(),
            )
            for answer, (index, score, margin, present) in zip(answers, columns):
                answer[name] = dict(
                    best=self.schema.names[index],
                    score=score,
                    margin=margin,
                    present=present,
                )
        return answers

    def answers(self, scores: np.ndarray) -> list[dict[str, str]]:
        """Yes, no or "not sure" per attribute, for each image.

        The answer is the decision, unless another one is plausible: "not sure" stands
        for both. In an exclusive set with quantiles, several plausible members (or one
        and "none of them") are each "not sure", and the others "no". So the truth is
        among the answers at least as often as ``conformal.coverage`` wants.

        Args:
            scores: Probabilities ``(B, A)``.

        Returns:
            For each image attribute name to ``'yes'``, ``'no'`` or ``'not sure'``.

        Raises:
            ValueError: No conformal quantiles were fitted.
        """
        possible = self.possible(scores)
        sure = np.where(possible[..., 1], YES, NO)
        words = np.where(possible.all(axis=-1), NOT_SURE, sure)
        return [dict(zip(self.schema.names, row)) for row in words.tolist()]

    def possible(self, scores: np.ndarray) -> np.ndarray:
        """Whether absence and presence are possible: decided, or plausible.

        Args:
            scores: Probabilities ``(..., A)``.

        Returns:
            Bool, ``(..., A, 2)``: at least one is.

        Raises:
            ValueError: No conformal quantiles were fitted.
        """
        if self.conformal is None:
            raise ValueError(
                "this decision rule cannot tell when it is not sure: no conformal "
                "quantiles were fitted; fit them with "
                "tools/analysis_tools/calibrate.py MODEL --coverage 0.9"
            )
        present = self.decide(scores)
        decided = np.stack([~present, present], axis=-1)
        possible: np.ndarray = self.conformal.plausible(scores) | decided
        for index, quantiles in enumerate(self.conformal.sets):
            if quantiles is not None:
                members = list(self.schema.exclusive_indices[index])
                chosen = decided[..., members, 1]
                none = ~chosen.any(axis=-1, keepdims=True)
                probabilities = self.set_probabilities(index, scores)
                in_set = self.conformal.plausible_in_set(index, probabilities)
                in_set |= np.concatenate([chosen, none], axis=-1)
                alone = in_set.sum(axis=-1, keepdims=True) == 1
                possible[..., members, 1] = in_set[..., :-1]
                possible[..., members, 0] = ~(in_set[..., :-1] & alone)
        return possible

    def set_probabilities(self, index: int, scores: np.ndarray) -> np.ndarray:
        """Probabilities of the members of an exclusive set and of "none of them".

        A softmax leaves the rest to "none of them". Members that were scored alone may
        sum to more than 1: in proportion to their odds they are what independent
        attributes give once it is known that a person has at most one of them.

        Args:
            index: Of the set in ``schema.exclusive``.
            scores: Of all attributes, ``(..., A)``.

        Returns:
            Float64, ``(..., K + 1)``, "none of them" last.
        """
        inner = scores[..., self.schema.exclusive_indices[index]].astype(np.float64)
        if self.calibration and self.calibration.softmax[index]:
            none = (1 - inner.sum(axis=-1, keepdims=True)).clip(min=0)
            return np.concatenate([inner, none], axis=-1)
        inner = inner.clip(_TINY, 1 - _TINY)
        odds = inner / (1 - inner)
        odds = np.concatenate([odds, np.ones_like(odds[..., :1])], axis=-1)
        return np.asarray(odds / odds.sum(axis=-1, keepdims=True))

    def _lead(self, scores: np.ndarray) -> np.ndarray:
        """By how much scores are above their thresholds."""
        scores = np.asarray(scores)
        if scores.ndim == 0 or scores.shape[-1] != len(self.schema):
            raise ValueError(
                f"scores have the shape {scores.shape}; the last axis must be the "
                f"{len(self.schema)} attributes of {self.schema.title!r}"
            )
        outside = ~((scores >= 0) & (scores <= 1))
        if outside.any():
            index = tuple(np.argwhere(outside)[0])
            raise ValueError(
                f"{outside.sum()} scores are not probabilities in [0, 1], first: "
                f"{scores[index]} of {self.schema.names[index[-1]]!r}"
            )
        dtype = np.result_type(scores, np.float16)
        return np.asarray(scores - np.asarray(self.thresholds, dtype))

    def to_dict(self) -> dict[str, Any]:
        """Plain containers only, fit for JSON; without the schema."""
        return dict(
            thresholds=list(self.thresholds),
            exclusive=self.exclusive,
            calibration=self.calibration and self.calibration.to_dict(),
            conformal=self.conformal and self.conformal.to_dict(),
        )

    @classmethod
    def from_dict(
        cls, schema: AttributeSchema, data: Mapping[str, Any]
    ) -> DecisionRule:
        """The inverse of :meth:`to_dict`.

        Raises:
            ValueError: A field is missing, unknown or wrong; the message names it.
        """
        where = "decision"
        require_fields(data, [f.name for f in fields(cls) if f.name != "schema"], where)
        calibration, conformal = data["calibration"], data["conformal"]
        thresholds = _list(data["thresholds"], f"{where}.thresholds")
        return _build(
            cls,
            where,
            schema=schema,
            thresholds=_build(
                build_thresholds, f"{where}.thresholds", spec=thresholds, schema=schema
            ),
            calibration=calibration
            if calibration is None
            else Calibration.from_dict(schema, calibration),
            conformal=conformal
            if conformal is None
            else Conformal.from_dict(schema, conformal),
            exclusive=data["exclusive"],
        )


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """``1 / (1 + exp(-x))`` without overflow.

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    return np.exp(-np.logaddexp(0, -logits))


def exclusive_set_names(schema: AttributeSchema) -> tuple[str, ...]:
    """What each exclusive set is called: its group if it is all of one, or its members.

    >>> ages, views = ("Young", "Old"), ("Front", "Back")
    >>> schema = AttributeSchema(
    ...     (*ages, *views), dict(age=ages), exclusive=[ages, views]
    ... )
    >>> exclusive_set_names(schema)
    ('age', 'Front | Back')
    """
    groups = {frozenset(members): name for name, members in schema.groups.items()}
    return tuple(
        groups.get(frozenset(members), " | ".join(members))
        for members in schema.exclusive
    )


def _build(kind: Callable[..., _Part], where: str, **values: Any) -> _Part:
    """Construct a part of a rule; its errors name the place in the data."""
    try:
        return kind(**values)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _list(value: Any, where: str) -> list[Any]:
    require_type(value, list, where)
    return list(value)


def _check_count(values: Sequence[Any], count: int, where: str, of_what: str) -> None:
    if len(values) != count:
        raise ValueError(
            f"{where} has {len(values)} entries, expected {count}, one per {of_what}"
        )


def _number(
    value: Any, name: str, above: float = -math.inf, below: float = math.inf
) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not above < value < below:
        raise ValueError(
            f"{name} is {value!r}, expected a number above {above:g} and below "
            f"{below:g}"
        )
    return float(value)


def _quantiles(values: Sequence[Any], name: str, count: int) -> tuple[float, ...]:
    _check_count(values, count, name, "possible answer")
    for value in values:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not 0 <= value <= 1:
            raise ValueError(f"{name} has {value!r}, expected a number from 0 to 1")
    return tuple(float(value) for value in values)


def _check_sets(schema: AttributeSchema, per_set: Sequence[Any], name: str) -> None:
    """Raise unless there is one entry per set, and given ones share no attribute."""
    _check_count(per_set, len(schema.exclusive), name, "exclusive set")
    pairs = zip(schema.exclusive, per_set)
    taken = [member for members, one in pairs if one is not None for member in members]
    twice = sorted(repeated(taken))
    if twice:
        raise ValueError(
            f"{name} has two sets with {twice}; an attribute has one probability, "
            "so give None for all but one of the sets that share it"
        )
