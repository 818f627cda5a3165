"""What the three attribute list formats share: their label words and their columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mmpar.datasets.annotations.table import UNKNOWN, AnnotationTable
from mmpar.structures import AttributeSchema

LABEL_WORDS = {
    **dict.fromkeys(("1", "1.0"), 1),
    **dict.fromkeys(("0", "0.0"), 0),
    **dict.fromkeys(("-1", "-1.0", "?", ""), UNKNOWN),
}
"""How a label may be written; with ``.0`` as pandas does beside missing values."""


class AttributeList(Protocol):
    """An opened attribute list."""

    @property
    def schema(self) -> AttributeSchema | None:
        """Attributes as the file names them, ``None`` if its format has no names."""

    def read(self, schema: AttributeSchema) -> AnnotationTable:
        """All rows, labels in the order of ``schema``."""


def wrong_label(where: str, name: str, found: object) -> ValueError:
    """The error of a label that is none."""
    return ValueError(
        f"{where}: attribute {name!r} has the label {found!r}; expected 1 (present), "
        "0 (absent) or unknown (-1 or ?, in .csv also empty, in .json also null)"
    )


def column_order(
    found: AttributeSchema, wanted: AttributeSchema, source: str
) -> list[int]:
    """Where in the file each attribute of the wanted schema stands.

    Raises:
        ValueError: The file lacks one, or has one more.
    """
    missing = [name for name in wanted.names if name not in found.names]
    unknown = [name for name in found.names if name not in wanted.names]
    if missing or unknown:
        raise ValueError(
            f"{source} and the schema {wanted.title!r} name different attributes: the "
            f"file lacks {missing}, the schema lacks {unknown}. Leave out the argument "
            "schema to take the attributes from the file"
        )
    return [found.names.index(name) for name in wanted.names]


def schema_of(names: Sequence[str], source: str, **more: object) -> AttributeSchema:
    """A schema from the names in a file; errors name the file."""
    try:
        return AttributeSchema(tuple(names), title=source, **more)  # type: ignore
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None
