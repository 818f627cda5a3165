"""The attribute schema: which attributes there are, in which order, on which body part.

It is the only source of attribute names, order and body-region groups: data sets are
labelled by it, heads predict in its order, checkpoints carry it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from unicodedata import normalize


def composed(name: object) -> str:
    """A name with each accented letter as one character (NFC)."""
    return normalize("NFC", str(name))


class SchemaMismatchError(ValueError):
    """Two parts that must share an attribute schema do not."""


@dataclass(frozen=True)
class AttributeSchema:
    """Names, order and body-region groups of a set of attributes.

    Args:
        names: Attribute names in the order of labels and scores, each once. Accented
            letters are kept composed (NFC), in groups too, so that names from files
            and configs of different systems are equal.
        groups: Body-region group (``head``, ``upper``, ``lower``, ``foot``, ``bag``,
            ``age``, ``gender``, ``view``, ...) to the names of its attributes. An
            attribute stands in one group at most; those in none have no body region.
        title: What a person calls it, for tables and errors, e.g. ``'PA-100K'``.

    Raises:
        ValueError: Names are empty or repeated, a group names an unknown attribute, or
            an attribute stands in two groups.
    """

    names: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    title: str = "custom"

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(map(composed, self.names)))
        groups = {
            g: tuple(map(composed, members)) for g, members in self.groups.items()
        }
        object.__setattr__(self, "groups", MappingProxyType(groups))
        self._check_names()
        self._check_groups()

    def _check_names(self) -> None:
        if not self.names:
            raise ValueError(f"the attribute schema {self.title!r} has no attributes")
        repeated = sorted({n for n in self.names if self.names.count(n) > 1})
        if repeated:
            raise ValueError(
                f"the attribute schema {self.title!r} repeats {repeated}; "
                "give each attribute a name of its own"
            )

    def _check_groups(self) -> None:
        seen: dict[str, str] = {}
        for group, members in self.groups.items():
            for name in members:
                if name not in self.names:
                    raise ValueError(
                        f"group {group!r} of the attribute schema {self.title!r} names "
                        f"{name!r}, which is not one of its attributes: "
                        f"{list(self.names)}"
                    )
                if name in seen:
                    raise ValueError(
                        f"attribute {name!r} of the schema {self.title!r} stands in "
                        f"the groups {seen[name]!r} and {group!r}; it may stand in one"
                    )
                seen[name] = group

    def __len__(self) -> int:
        return len(self.names)

    def __hash__(self) -> int:
        return hash((self.names, frozenset(self.groups.items())))

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.names, dict(self.groups), self.title))

    def index(self, name: str) -> int:
        """Position of an attribute; ``ValueError`` with the known names if absent."""
        try:
            return self.names.index(composed(name))
        except ValueError:
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
        data sets of which some label no footwear, no bags, and so on.
        """
        names = {name for group in groups for name in self.groups.get(group, ())}
        return tuple(i for i, name in enumerate(self.names) if name in names)

    def to_dict(self) -> dict[str, Any]:
        """Plain containers only, fit for JSON, configs and checkpoints."""
        return dict(
            names=list(self.names),
            groups={group: list(members) for group, members in self.groups.items()},
            title=self.title,
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
            "Use the config of the same data set for both. To start another data set "
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
