"""Which picture of a data set a file name means."""

from __future__ import annotations

from collections.abc import Sequence

from mmpar.datasets.formats.files import portable_path, same_image


class PictureNames:
    """Finds rows by file name, in whatever folder either side saw the pictures.

    Which names mean one picture says :func:`same_image`.

    Args:
        paths: Picture of each row.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._row_of = {path: row for row, path in enumerate(paths)}
        self._of_base: dict[str, list[str]] = {}
        for path in paths:
            self._of_base.setdefault(path.rsplit("/", 1)[-1], []).append(path)

    def find(self, name: str) -> int | None:
        """The row of a picture; ``None`` where the data set has no such picture.

        Raises:
            ValueError: Several pictures could be meant.
        """
        name = portable_path(name)
        if name in self._row_of:
            return self._row_of[name]
        same_base = self._of_base.get(name.rsplit("/", 1)[-1], [])
        fitting = [path for path in same_base if same_image(path, name)]
        if len(fitting) > 1:
            raise ValueError(
                f"the file name {name!r} could mean {fitting[:3]}; write names with "
                "their folders"
            )
        return self._row_of[fitting[0]] if fitting else None
