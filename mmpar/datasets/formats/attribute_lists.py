"""What the attribute list formats share: their form, and their columns by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torchvision.datasets.folder import IMG_EXTENSIONS

from mmpar.datasets.formats.labels import LabelMap
from mmpar.datasets.formats.table import AnnotationTable
from mmpar.structures import AttributeSchema


class AttributeList(Protocol):
    """An opened attribute list."""

    @property
    def schema(self) -> AttributeSchema | None:
        """Attributes as the file names them, ``None`` if it names none."""

    def read(
        self, schema: AttributeSchema, label_map: LabelMap | None = None
    ) -> AnnotationTable:
        """All rows, labels in the order of ``schema``."""


def is_image_name(word: str) -> bool:
    """Whether a word ends as the names of image files do."""
    return word.lower().endswith(IMG_EXTENSIONS)


def column_order(
    found: Sequence[str], wanted: AttributeSchema, source: str
) -> list[int]:
    """Where in the file each attribute of the wanted schema stands.

    Raises:
        ValueError: The file lacks one, or has one more.
    """
    missing = [name for name in wanted.names if name not in found]
    unknown = [name for name in found if name not in wanted.names]
    if missing or unknown:
        raise ValueError(
            f"{source} and the schema {wanted.title!r} name different attributes: the "
            f"file lacks {missing}, the schema lacks {unknown}. Leave out the argument "
            "schema to take the attributes from the file"
        )
    return [found.index(name) for name in wanted.names]


def schema_of(names: Sequence[str], source: str, **more: object) -> AttributeSchema:
    """A schema from the names in a file; errors name the file."""
    try:
        return AttributeSchema(tuple(names), title=source, **more)  # type: ignore
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None
