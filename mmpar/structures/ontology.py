"""How the attributes of different datasets are related, and what follows from it.

Every attribute claims something of one facet of a person
(:mod:`mmpar.structures.attribute_meanings`). Relations, inferred labels and transferred
scores all follow from the *states* that the facet can have, such as its values, or its
combinations of bags: in some the attribute is present, in the others it is not, and in
a few the release does not say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from mmpar.structures.attribute_meanings import (
    FACETS,
    Claim,
    dataset_of,
    published_meanings,
    read_meaning,
)

if TYPE_CHECKING:
    from mmpar.structures.attribute_schema import AttributeSchema

UNKNOWN = -1
"""Label of an attribute that has not been annotated."""


def meanings_of(schema: AttributeSchema) -> dict[str, str]:
    """Attribute to meaning: the schema's own, else that of the published schema.

    Attributes whose meaning is not known are left out.
    """
    known = schema.meanings or published_meanings(schema.title)
    return {name: known[name] for name in schema.names if name in known}


def relation(one: str, other: str) -> str | None:
    """How two meanings are related.

    Returns:
        Of ``one`` to ``other``: ``"same"``, ``"broader"``, ``"narrower"``,
        ``"complement"`` (a person has one of the two), ``"disjoint"`` (has at most
        one), or None where nothing of this is certain.

    >>> relation("age: 18-30", "age: 18-30, 31-45")
    'narrower'
    """
    a, b = read_meaning(one), read_meaning(other)
    if a.facet != b.facet:
        return None
    if a.within(b):
        return "same" if b.within(a) else "narrower"
    if b.within(a):
        return "broader"
    if (a.may & b.may).any():
        return None
    return "complement" if (a.sure | b.sure).all() else "disjoint"


def infer(
    labels: np.ndarray, source: AttributeSchema, target: AttributeSchema
) -> np.ndarray:
    """What known labels imply of the attributes of another schema.

    A label is inferred if it holds for every person whom the known labels of its facet
    allow. Where no person has all of them, nothing is inferred of that facet.

    Args:
        labels: 1, 0 or -1 for unknown, (..., A) in the order of ``source``.
        source: Schema of the labels.
        target: Schema of the B attributes asked for.

    Returns:
        int8, (..., B): 1, 0, or -1 where nothing follows.
    """
    labels = np.asarray(labels)
    rows = labels.reshape(-1, len(source))
    inferred = np.full((len(rows), len(target)), UNKNOWN, np.int8)
    for (given, said), (wanted, asked) in _common_facets(source, target):
        alike, which = np.unique(rows[:, given], axis=0, return_inverse=True)
        sure, may = _stack(said)
        possible = ~((alike == 1) @ ~may.T | (alike == 0) @ sure.T)
        sure, may = _stack(asked)
        maybe_present, maybe_absent = possible @ may, possible @ ~sure
        decided = maybe_present != maybe_absent
        found = np.where(decided, maybe_present, UNKNOWN).astype(np.int8)
        inferred[:, wanted] = found[which.ravel()]
    return inferred.reshape(*labels.shape[:-1], len(target))


@dataclass(frozen=True)
class Answer:
    """How a model's attributes answer another one.

    Args:
        attribute: The one that is asked for.
        parts: Those of the model, of which the person has one or more.
        exclusive: Whether at most one.
        negated: Whether the attribute is present if the person has none of them.
    """

    attribute: str
    parts: tuple[str, ...]
    exclusive: bool = False
    negated: bool = False

    def __str__(self) -> str:
        parts = " or ".join(self.parts)
        if self.negated:
            parts = f"not {parts}" if len(self.parts) == 1 else f"not ({parts})"
        return f"{self.attribute} = {parts}"

    def scores(self, parts: np.ndarray) -> np.ndarray:
        """Probability of the attribute, (...), from those of the parts, (..., P).

        Parts that do not exclude each other are taken as independent.
        """
        if len(self.parts) == 1:  # not a rounding away from the model's
            either = parts[..., 0]
        elif self.exclusive:
            either = parts.sum(axis=-1).clip(max=1)
        else:
            either = 1 - (1 - parts).prod(axis=-1)
        return 1 - either if self.negated else either

    def decisions(self, parts: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """Whether the attribute is present, (...), bool.

        The model's decision where there is one part. Of several parts it is enough that
        the model decides for one, or that they are more likely than not together.

        Args:
            parts: Decisions on the parts, (..., P), bool.
            scores: Their probabilities, (..., P).
        """
        either = np.asarray(parts.any(axis=-1))
        if len(self.parts) > 1:
            either |= (self.scores(scores) > 0.5) ^ self.negated
        return either ^ self.negated


class Transfer:
    """What a model of one schema can say of the attributes of another.

    An attribute is answered by the same one, by its complement, or by several that
    together are it or its complement; nothing else is guessed.

    Args:
        source: The model's schema.
        target: The schema asked for.

    Attributes:
        answers: Of the K attributes that can be answered, in the order of ``target``.
        unanswered: The names of the others.
        columns: Positions in ``target`` of those answered, (K,).

    Raises:
        ValueError: None can be answered.

    >>> from mmpar.structures import SCHEMAS
    >>> transfer = Transfer(SCHEMAS["peta105"], SCHEMAS["pa100k"])
    >>> print(*transfer.answers[5:7], sep="\\n")
    LongSleeve = upperBodyLongSleeve
    UpperStride = upperBodyThinStripes or upperBodyThickStripes
    """

    def __init__(self, source: AttributeSchema, target: AttributeSchema) -> None:
        found = _answers(source, target)
        self.answers = [found[name] for name in target.names if name in found]
        self.unanswered = [name for name in target.names if name not in found]
        if not self.answers:
            raise ValueError(
                f"a model of {source.title!r} answers no attribute of "
                f"{target.title!r}: the meanings are known of "
                f"{len(meanings_of(source))} attributes of the first and "
                f"{len(meanings_of(target))} of the second. For attributes of your own "
                "give schema=dict(names=..., meanings={name: 'FACET: VALUE, ...'})"
            )
        self.schema = target.select([one.attribute for one in self.answers])
        self.columns = np.array([target.index(name) for name in self.schema.names])
        self._parts = [[source.index(p) for p in one.parts] for one in self.answers]

    def scores(self, scores: np.ndarray) -> np.ndarray:
        """Probabilities of the model, (..., A), as those of the answers, (..., K)."""
        pairs = zip(self.answers, self._parts)
        return np.stack([a.scores(scores[..., parts]) for a, parts in pairs], axis=-1)

    def decisions(self, decisions: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """Decisions of the model, (..., A), bool, as those of the answers, (..., K)."""
        pairs = zip(self.answers, self._parts)
        found = [a.decisions(decisions[..., p], scores[..., p]) for a, p in pairs]
        return np.stack(found, axis=-1)


def _answers(source: AttributeSchema, target: AttributeSchema) -> dict[str, Answer]:
    """The answers that there are, by attribute."""
    found = {}
    for (given, said), (wanted, asked) in _common_facets(source, target):
        firm = {source.names[i]: c.sure for i, c in zip(given, said) if c.within(c)}
        for name, claim in zip([target.names[i] for i in wanted], asked):
            answer = _combine(name, claim, firm) if claim.within(claim) else None
            if answer is not None:
                found[name] = answer
    # What one dataset calls by one name is one attribute, defined or not.
    if dataset_of(source.title) == dataset_of(target.title) is not None:
        both = set(source.names) & set(target.names)
        found.update((name, Answer(name, (name,))) for name in both)
    return found


def _combine(name: str, claim: Claim, firm: dict[str, np.ndarray]) -> Answer | None:
    """The fewest attributes that are the claim, or else its complement.

    Args:
        name: The attribute that claims it.
        claim: One without doubtful states.
        firm: The model's attributes of this facet, to the states where each is present.
    """
    exclusive = FACETS[claim.facet].exclusive
    goals = ((False, claim.sure), (True, ~claim.sure))
    for size in range(1, len(firm) + 1):
        for negated, goal in goals:
            inside = [
                part for part, states in firm.items() if not (states & ~goal).any()
            ]
            for parts in combinations(inside, size):
                times = np.sum([firm[part] for part in parts], axis=0)
                if ((times > 0) == goal).all() and not (exclusive and times.max() > 1):
                    return Answer(name, parts, exclusive, negated)
    return None


_Claims = tuple[list[int], list[Claim]]


def _common_facets(
    source: AttributeSchema, target: AttributeSchema
) -> Iterator[tuple[_Claims, _Claims]]:
    """Positions and claims of both schemas, of each facet that both have."""
    ours, theirs = _by_facet(source), _by_facet(target)
    return ((ours[facet], theirs[facet]) for facet in ours if facet in theirs)


def _by_facet(schema: AttributeSchema) -> dict[str, _Claims]:
    facets: dict[str, _Claims] = {}
    for name, meaning in meanings_of(schema).items():
        claim = read_meaning(meaning)
        positions, claims = facets.setdefault(claim.facet, ([], []))
        positions.append(schema.index(name))
        claims.append(claim)
    return facets


def _stack(claims: Sequence[Claim]) -> tuple[np.ndarray, np.ndarray]:
    """States where each attribute is present, and may be, (S, A), bool."""
    return (
        np.stack([c.sure for c in claims], axis=1),
        np.stack([c.may for c in claims], axis=1),
    )
