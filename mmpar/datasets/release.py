"""Base of the data sets whose releases list all pictures, and splits by row number."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine import fileio

from mmpar.datasets.annotations import UNKNOWN, AnnotationTable
from mmpar.datasets.annotations.common_pickle import read_common_pickle
from mmpar.datasets.annotations.files import read_bytes
from mmpar.datasets.annotations.labels import checked_label_map
from mmpar.datasets.annotations.portable import read_header, read_portable
from mmpar.datasets.annotations.release import Release
from mmpar.datasets.annotations.text_list import TextList
from mmpar.datasets.base import PARDataset
from mmpar.datasets.image_files import archive_of, is_local
from mmpar.structures import AttributeSchema, build_schema


class ReleaseDataset(PARDataset):
    """Base of the data sets that are read from their release, in any of its forms.

    The ending of ``ann_file`` says which: ``.pkl`` is the common pickled form
    (:func:`read_common_pickle`), ``.txt`` a list as ALM's, which holds one split and
    nothing of the others, ``.jsonl`` what ``tools/dataset_converters/prepare.py``
    wrote; all others are the release's own, by :meth:`read_release`. Attributes are
    matched by name (a ``.txt`` has none: there they must stand in the schema's order).

    Args:
        partition: Which of the release's random partitions, from 0.
        schema: Attributes to use, in any order; ``'all'`` takes those of the file.
        data_prefix: Folder of the pictures; by default whichever of
            ``PICTURE_FOLDERS`` there is, and the first of them in an archive.
        kwargs: As for :class:`PARDataset`.

    Raises:
        ValueError: The release has no such partition; see also the readers.
    """

    ANN_FILE: str = ""
    ANN_FOLDER: str = ""
    """Folder that the archive of the annotation unpacks to."""
    PICTURE_FOLDERS: tuple[str, ...] = ()
    """Where the release and its copies put the pictures."""
    TRAINVAL: tuple[str, ...] = ("train", "val")
    """What ``trainval`` is in a file that has no split of that name."""
    SIZES: Mapping[str, int] = {}
    """Published number of pictures of each split."""
    ONE_SPLIT: tuple[str, ...] = (".txt",)
    """Endings of the files that hold one split, and do not say which."""
    PERSONS_SHARED = False
    """Whether the published splits have pictures of one person in both."""

    def __init__(
        self,
        *,
        ann_file: str = "",
        data_prefix: str | Mapping[str, str] = "",
        partition: int = 0,
        **kwargs: Any,
    ) -> None:
        self.partition = partition
        self._find_pictures = not data_prefix
        self._release: Release | None = None
        super().__init__(
            ann_file=ann_file or self.ANN_FILE, data_prefix=data_prefix, **kwargs
        )

    @classmethod
    def holds_one_split(cls, ann_file: str) -> bool:
        """Whether the file would give the same rows whichever split is asked for."""
        return _ending(ann_file) in cls.ONE_SPLIT

    def annotation_file(self) -> str:
        """``ann_file``, or the same in the folder ``ANN_FOLDER``."""
        if self.ANN_FOLDER and not fileio.exists(self.ann_file):
            folder, _, name = self.ann_file.rpartition("/")
            other = f"{folder or '.'}/{self.ANN_FOLDER}/{name}"
            if fileio.exists(other):
                return other
        return self.ann_file

    def read_release(self) -> Release:
        """Read ``self.ann_file`` in the release's own format."""
        raise ValueError(
            f"{self.ann_file}: {type(self).__name__} is read from .pkl, .txt or .jsonl"
        )

    def resolve_schema(
        self, schema: str | Mapping[str, Any] | AttributeSchema | None
    ) -> AttributeSchema:
        return self._all() if schema == "all" else super().resolve_schema(schema)

    def _all(self) -> AttributeSchema:
        """All attributes of the file."""
        ending = self._ending()
        if ending == ".txt":
            raise ValueError(
                f"{self.ann_file} has no attribute names, so schema='all' says "
                "nothing; name the schema, or list its attributes"
            )
        if ending == ".jsonl":
            return read_header(self.ann_file, read_bytes(self.ann_file)).schema
        self._release = self._opened()
        return self._with_groups(self._release.attributes)

    def _with_groups(self, attributes: Sequence[str]) -> AttributeSchema:
        """A schema of these, in the groups of the evaluated ones."""
        evaluated = build_schema(self.SCHEMA) if self.SCHEMA else None
        names = tuple(attributes)
        groups = evaluated.groups if evaluated else {}
        return AttributeSchema(
            names=names,
            groups={g: tuple(n for n in m if n in names) for g, m in groups.items()},
            title=f"{evaluated.title if evaluated else 'custom'}, all attributes",
        )

    def load_annotations(self) -> AnnotationTable:
        table = self._read_table()
        if self._find_pictures and self.PICTURE_FOLDERS:
            self.data_prefix["img_path"] = self._picture_folder()
        return table

    def _read_table(self) -> AnnotationTable:
        ending = self._ending()
        if ending == ".txt":
            self._refuse_partition()
            return TextList(self.ann_file).read(self.schema, self.label_map)
        if ending == ".jsonl":
            return read_portable(
                self.ann_file,
                self.schema,
                self.split,
                self.partition,
                self.TRAINVAL,
                self.label_map,
            )
        release = self._release or self._opened()
        self._release = None  # the table is all that is needed
        rows = release.rows(self.split, self._partition_in_file(), self.TRAINVAL)
        return release.table(self.schema.names, rows, self.label_map)

    def _refuse_partition(self) -> None:
        if self.partition:
            raise ValueError(
                f"{self.ann_file}: a {self._ending()} list has one partition, "
                f"got partition={self.partition}; leave it out"
            )

    def _opened(self) -> Release:
        if self._ending() == ".pkl":
            return read_common_pickle(self.ann_file)
        return self.read_release()

    def _ending(self) -> str:
        return _ending(self.ann_file)

    def _partition_in_file(self) -> int:
        return self.partition

    def _picture_folder(self) -> str:
        if archive_of(self.backend_args) is not None:
            return self.PICTURE_FOLDERS[0]
        folders = [
            fileio.join_path(self.data_root, name) for name in self.PICTURE_FOLDERS
        ]
        if not is_local(self.data_root, self.backend_args):
            return folders[0]
        for folder in folders:
            if fileio.isdir(folder):
                return folder
        raise FileNotFoundError(
            f"found none of the picture folders {folders}; unpack the release there or "
            "give the folder as data_prefix"
        )

    def _start_prefix_at_root(self) -> None:
        """Without ``data_prefix`` paths start at ``data_root``, or at the archive's."""
        if archive_of(self.backend_args) is None:
            self.data_prefix["img_path"] = self.img_prefix or self.data_root

    def extra_repr(self) -> list[str]:
        return [*super().extra_repr(), f"Partition: \t{self.partition}"]


def _ending(path: str) -> str:
    return os.path.splitext(path)[1].lower()


class ZeroShotFiles(ReleaseDataset):
    """For partitions without shared persons, each in a pickled file of its own.

    Args:
        partition: Which of the five files, from 0.
        ann_file: Another place of it, or a ``.txt`` or ``.jsonl`` made of it.
        kwargs: As for :class:`ReleaseDataset`.

    Raises:
        ValueError: ``ann_file`` is the release's own, whose partitions share persons.
    """

    def __init__(
        self, *, partition: int = 0, ann_file: str = "", **kwargs: Any
    ) -> None:
        self._own_file = f"dataset_zs_run{partition}.pkl"
        ann_file = ann_file or self._own_file
        super().__init__(partition=partition, ann_file=ann_file, **kwargs)

    def _opened(self) -> Release:
        release = super()._opened()
        if any(len(choices) > 1 for choices in release.partitions.values()):
            raise self._shares_persons()
        return release

    def read_release(self) -> Release:
        raise self._shares_persons()

    def _shares_persons(self) -> ValueError:
        return ValueError(
            f"{self.ann_file}: {type(self).__name__} is not read from the ordinary "
            "release, whose partitions share persons between training and test; "
            f"partition {self.partition} is the Strong Baseline's {self._own_file}"
        )

    def _partition_in_file(self) -> int:
        return 0


class UncertainLabels(ReleaseDataset):
    """For RAP, whose annotators also answered 2, "uncertain".

    Args:
        uncertain: Such a label is ``'unknown'``, or ``'absent'`` as the Strong Baseline
            counts it.
        ann_file: In a ``.jsonl``, uncertain is written as unknown.
        label_map: As for :class:`PARDataset`; it has the last word.
        kwargs: As for :class:`ReleaseDataset`.
    """

    def __init__(
        self,
        *,
        uncertain: str = "unknown",
        ann_file: str = "",
        label_map: Mapping[Any, int] | None = None,
        **kwargs: Any,
    ) -> None:
        labels = {"unknown": UNKNOWN, "absent": 0}
        if uncertain not in labels:
            raise ValueError(f"uncertain is 'unknown' or 'absent', got {uncertain!r}")
        written = UNKNOWN if _ending(ann_file) == ".jsonl" else 2
        coding = {float(written): labels[uncertain], **checked_label_map(label_map)}
        super().__init__(ann_file=ann_file, label_map=coding, **kwargs)
