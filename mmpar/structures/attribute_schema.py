"""The attribute schema: which attributes there are, in which order, on which body part.

It is the only source of attribute names, order and body-region groups: datasets are
labelled by it, heads predict in its order, checkpoints carry it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any
from unicodedata import normalize

from mmpar.structures.attribute_meanings import read_meaning
from mmpar.utils.repeats import repeated


def composed(name: object) -> str:
    """A name with each accented letter as one character (NFC)."""
    return normalize("NFC", str(name))


class SchemaMismatchError(ValueError):
    """Two parts that must share an attribute schema do not."""


@dataclass(frozen=True)
class AttributeSchema:
    """Names, order, body-region groups and exclusive sets of attributes.

    Args:
        names: Attribute names in the order of labels and scores, each once. Accented
            letters are kept composed (NFC), in groups too, so that names from files
            and configs of different systems are equal.
        groups: Body-region group (``head``, ``upper``, ``lower``, ``foot``, ``bag``,
            ``age``, ``gender``, ``view``, ...) to the names of its attributes. An
            attribute is in one group at most; those in none have no body region.
            Members are kept in the order of ``names``.
        exclusive: Sets of attributes of which a person has at most one, such as ages or
            views, each of two names or more. They say how labels are checked, and have
            no effect on a model unless its head has ``exclusive_softmax``, so schemas
            that differ in them only fit each other.
        title: What a person calls it, for tables and errors, e.g. ``'PA-100K'``.
        meanings: Attribute to its meaning in the vocabulary of all datasets, such as
            ``'gender: male'`` (:mod:`mmpar.structures.attribute_meanings`). Published
            schemas need none here. They have no effect on a model either.

    Raises:
        ValueError: Names are empty or repeated, a group, an exclusive set or
            ``meanings`` names an unknown attribute, an attribute is in two groups or
            twice in one, a set has fewer than two attributes, or a meaning is not of
            the vocabulary.

    >>> schema = AttributeSchema(
    ...     names=("Hat", "Front", "Back"),
    ...     groups=dict(head=("Hat",), view=("Front", "Back")),
    ...     exclusive=[("Front", "Back")],
    ... )
    >>> schema.index("Back"), schema.indices(["head", "view"])
    (2, (0, 1, 2))
    >>> schema.exclusive_indices
    ((1, 2),)
    """

    names: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    title: str = "custom"
    exclusive: tuple[tuple[str, ...], ...] = ()
    meanings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(map(composed, self.names)))
        groups = {
            g: tuple(map(composed, members)) for g, members in self.groups.items()
        }
        sets = tuple(tuple(map(composed, names)) for names in self.exclusive)
        object.__setattr__(self, "exclusive", sets)
        if not isinstance(self.meanings, Mapping) or not all(
            isinstance(text, str) for text in self.meanings.values()
        ):
            raise ValueError(
                f"meanings of the attribute schema {self.title!r} are a dict of "
                f"attribute to meaning as text, got {self.meanings!r}"
            )
        meanings = {composed(name): text for name, text in self.meanings.items()}
        object.__setattr__(self, "meanings", MappingProxyType(meanings))
        self._check_names()
        self._check_groups(groups)
        self._check_exclusive()
        self._check_meanings()
        ordered = {g: tuple(sorted(m, key=self.index)) for g, m in groups.items()}
        object.__setattr__(self, "groups", MappingProxyType(ordered))

    @classmethod
    def from_rows(
        cls,
        title: str,
        rows: Sequence[tuple[str, str | None]],
        exclusive: Sequence[Sequence[str]] = (),
    ) -> AttributeSchema:
        """A schema from one row per attribute: its name and its group, or None."""
        groups: dict[str, list[str]] = {}
        for name, group in rows:
            if group is None:
                continue
            groups.setdefault(group, []).append(name)
        return cls(
            names=tuple(name for name, _ in rows),
            groups={group: tuple(members) for group, members in groups.items()},
            title=title,
            exclusive=tuple(tuple(names) for names in exclusive),
        )

    def _check_names(self) -> None:
        if not self.names:
            raise ValueError(f"the attribute schema {self.title!r} has no attributes")
        twice = sorted(repeated(self.names))
        if twice:
            raise ValueError(
                f"the attribute schema {self.title!r} repeats {twice}; "
                "give each attribute a name of its own"
            )

    def _check_groups(self, groups: Mapping[str, tuple[str, ...]]) -> None:
        known = set(self.names)
        seen: dict[str, str] = {}
        for group, members in groups.items():
            for name in members:
                if name not in known:
                    raise ValueError(
                        f"group {group!r} of the attribute schema {self.title!r} names "
                        f"{name!r}, which is not one of its attributes: "
                        f"{list(self.names)}"
                    )
                if name in seen:
                    raise ValueError(
                        f"attribute {name!r} of the schema {self.title!r} is in "
                        f"the groups {seen[name]!r} and {group!r}; it may be in one"
                    )
                seen[name] = group

    def _check_exclusive(self) -> None:
        for names in self.exclusive:
            unknown = [name for name in names if name not in self.names]
            if unknown or len(set(names)) < max(2, len(names)):
                raise ValueError(
                    f"the exclusive set {list(names)} of the attribute schema "
                    f"{self.title!r} must be two or more different attributes of "
                    f"{list(self.names)}"
                )

    def _check_meanings(self) -> None:
        unknown = sorted(set(self.meanings) - set(self.names))
        if unknown:
            raise ValueError(
                f"the attribute schema {self.title!r} gives meanings of {unknown}, "
                f"which are not among its attributes: {list(self.names)}"
            )
        for meaning in self.meanings.values():
            read_meaning(meaning)

    def __len__(self) -> int:
        return len(self.names)

    def __hash__(self) -> int:
        return hash((self.names, frozenset(self.groups.items())))

    def __reduce__(self) -> tuple[Any, ...]:
        return (
            type(self),
            (
                self.names,
                dict(self.groups),
                self.title,
                self.exclusive,
                dict(self.meanings),
            ),
        )

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.names)}

    def index(self, name: str) -> int:
        """Position of an attribute; ``ValueError`` with the known names if absent."""
        try:
            return self._positions[composed(name)]
        except KeyError:
            raise ValueError(
                f"no attribute {name!r} in the schema {self.title!r}; "
                f"it has {list(self.names)}"
            ) from None

    def by_index(self, values: Mapping[str, Any]) -> dict[int, Any]:
        """Values that are given by attribute name, by position.

        Raises:
            ValueError: A name is not in the schema, or is there in two spellings.
        """
        found = {self.index(name): value for name, value in values.items()}
        if len(found) != len(values):
            raise ValueError(
                f"{list(values)} names an attribute twice, with its accented letters "
                "composed and decomposed; name it once"
            )
        return found

    def indices(self, groups: Sequence[str]) -> tuple[int, ...]:
        """Positions, ascending, of the attributes in any of ``groups``.

        A group that this schema lacks adds nothing: region definitions are shared by
        datasets of which some label no footwear, no bags, and so on.
        """
        names = {name for group in groups for name in self.groups.get(group, ())}
        return tuple(i for i, name in enumerate(self.names) if name in names)

    @property
    def exclusive_indices(self) -> tuple[tuple[int, ...], ...]:
        """Positions of the members of each exclusive set."""
        return tuple(tuple(map(self.index, names)) for names in self.exclusive)

    def to_dict(self) -> dict[str, Any]:
        """Plain containers only, fit for JSON, configs and checkpoints."""
        plain: dict[str, Any] = dict(
            names=list(self.names),
            groups={group: list(members) for group, members in self.groups.items()},
            title=self.title,
            exclusive=[list(names) for names in self.exclusive],
        )
        # Versions before meanings read what has none.
        return {**plain, "meanings": dict(self.meanings)} if self.meanings else plain

    def select(self, names: Sequence[str]) -> AttributeSchema:
        """The schema of some of these attributes, in the order given."""
        names = [self.names[self.index(name)] for name in names]
        groups = {g: tuple(n for n in m if n in names) for g, m in self.groups.items()}
        sets = (tuple(n for n in one if n in names) for one in self.exclusive)
        return AttributeSchema(
            tuple(names),
            {group: members for group, members in groups.items() if members},
            self.title,
            tuple(one for one in sets if len(one) > 1),
            {n: text for n, text in self.meanings.items() if n in names},
        )

    def require_same(self, other: AttributeSchema, ours: str, theirs: str) -> None:
        """Raise unless ``other`` has the same names, order and groups.

        Args:
            other: The schema to compare with.
            ours: What carries this schema, for the error, e.g. ``'the model'``.
            theirs: What carries the other one, e.g. ``'the checkpoint'``.

        Raises:
            SchemaMismatchError: With both schemas and what differs.
        """
        if self.names == other.names and self.groups == other.groups:
            return
        raise SchemaMismatchError(
            f"{ours} and {theirs} have different attribute schemas.\n"
            f"  {ours}: {self._describe()}\n"
            f"  {theirs}: {other._describe()}\n"
            f"  difference: {self._difference(other)}\n"
            "Use the config of the same dataset for both. To start another dataset "
            "from these weights, load only the backbone: model.backbone.init_cfg="
            "dict(type='Pretrained', checkpoint=..., prefix='backbone')."
        )

    def _describe(self) -> str:
        return f"{self.title!r}, {len(self)} attributes: {', '.join(self.names)}"

    def _difference(self, other: AttributeSchema) -> str:
        only_here = [n for n in self.names if n not in other.names]
        only_there = [n for n in other.names if n not in self.names]
        if only_here or only_there:
            return f"only in the first {only_here}, only in the second {only_there}"
        if self.names != other.names:
            return "the same attributes in another order"
        return (
            "the same attributes in other body-region groups, "
            f"{ {g: list(m) for g, m in self.groups.items()} } and "
            f"{ {g: list(m) for g, m in other.groups.items()} }"
        )
