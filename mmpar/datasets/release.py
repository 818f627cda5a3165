"""Base of the data sets whose releases list all pictures, and splits by row number."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from mmengine import fileio

from mmpar.datasets.base import PARDataset
from mmpar.datasets.file_backends import archive_of, is_local
from mmpar.datasets.formats import UNKNOWN, AnnotationTable
from mmpar.datasets.formats.annotation import Release, checked_label_map
from mmpar.datasets.formats.files import read_bytes
from mmpar.datasets.formats.lists import CSVList, TextList
from mmpar.datasets.formats.openmmlab_json import Header, read_header, read_portable
from mmpar.datasets.formats.pickles import read_common_pickle
from mmpar.structures import AttributeSchema, build_schema

_USUAL_SPLITS = ("train", "val", "test", "trainval")
_ZERO_SHOT_FILES = 5


class ReleaseDataset(PARDataset):
    """Base of the data sets that are read from their release, in any of its forms.

    The ending of ``ann_file`` says which: ``.pkl`` is the common pickled form
    (:func:`read_common_pickle`), ``.jsonl`` what
    ``tools/dataset_converters/prepare.py`` wrote, ``.txt`` a list as ALM's and ``.csv``
    one with a header, each of one split; that of ``ANN_FILE`` is the release's own, by
    :meth:`read_release`. Attributes are matched by name (a ``.txt`` has none: there
    they must stand in the schema's order).

    Args:
        partition: Which of the release's random partitions, from 0.
        schema: Attributes to use, in any order; ``'all'`` takes those of the file.
        data_prefix: Folder of the pictures; by default whichever of
            ``PICTURE_FOLDERS`` there is, and the first of them in an archive.
        kwargs: As for :class:`PARDataset`.

    Raises:
        ValueError: The file has no such split or partition, or its ending is of no
            form that the class reads; see also the readers.
    """

    ANN_FILE: str = ""
    ANN_FOLDERS: tuple[str, ...] = ()
    """Folders that archives of the annotation unpack to."""
    PICTURE_FOLDERS: tuple[str, ...] = ()
    """Where the release and its copies put the pictures."""
    TRAINVAL: tuple[str, ...] = ("train", "val")
    """What ``trainval`` is in a file that has no split of that name."""
    SIZES: Mapping[str, int] = {}
    """Published number of pictures of each split."""
    ONE_SPLIT: tuple[str, ...] = (".txt", ".csv")
    """Endings of the files that hold one split, and do not say which."""
    PERSONS_SHARED = False
    """Whether the published splits have pictures of one person in both."""
    KNOWN_FLAWS: Mapping[str, Collection[str]] = {}
    """What the doctor finds in a perfect copy: ``'two ages'`` and the like, or
    ``'copies'``, to images as listed; ``'never present'`` to attributes."""

    ann_file: str

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
    def _checked_split(cls, split: str) -> str:
        # A file may have more splits than were published: its reader says which.
        return split if split in _USUAL_SPLITS else super()._checked_split(split)

    @classmethod
    def holds_one_split(cls, ann_file: str) -> bool:
        """Whether the file would give the same rows whichever split is asked for."""
        return _ending(ann_file) in cls.ONE_SPLIT

    @classmethod
    def available_splits(cls, **kwargs: Any) -> dict[str, list[int]]:
        """Which ``split`` and ``partition`` an annotation file gives.

        It reads the annotation, and looks for no picture.

        Args:
            kwargs: As for the class: ``data_root``, ``ann_file``, ...

        Returns:
            Split to the numbers of its partitions, ``'trainval'`` last where it is made
            of others; empty for a list of one split, which does not say which it is.

        Raises:
            ValueError, FileNotFoundError: As the class does for a faulty release.
        """
        kwargs["split"] = cls.SPLITS[0]
        dataset = cls(lazy_init=True, **kwargs)
        return dataset._with_trainval(dataset._splits_in_file())

    def _splits_in_file(self) -> dict[str, list[int]]:
        ending = self._ending()
        if ending in self.ONE_SPLIT:
            return {}
        if ending == ".jsonl":
            held: dict[str, list[int]] = {}
            for split, number in self._header().parts:
                held.setdefault(split, []).append(number)
            return held
        partitions = self._opened().partitions
        return {split: list(range(len(found))) for split, found in partitions.items()}

    def _with_trainval(self, held: dict[str, list[int]]) -> dict[str, list[int]]:
        common = [held.get(part, []) for part in self.TRAINVAL]
        both = [n for n in common[0] if all(n in numbers for numbers in common)]
        return held if "trainval" in held or not both else {**held, "trainval": both}

    def annotation_file(self) -> str:
        """The file that is read: ``ann_file``, or one of ``ANN_FOLDERS``."""
        return self.ann_file

    def _join_prefix(self) -> None:
        super()._join_prefix()
        places = [self.ann_file, *self._other_places()]
        self.ann_file = next((p for p in places if fileio.exists(p)), places[0])

    def _other_places(self) -> list[str]:
        """Where the annotation may lie if it is not at ``ann_file``."""
        folder, _, name = self.ann_file.rpartition("/")
        return [f"{folder or '.'}/{other}/{name}" for other in self.ANN_FOLDERS]

    def read_release(self) -> Release:
        """Read ``self.ann_file`` in the release's own format."""
        raise self._unread()

    def _unread(self) -> ValueError:
        ending, own = self._ending(), _ending(self.ANN_FILE)
        forms = [own] if own not in ("", ".pkl") else []
        error = (
            f"{self.ann_file}: {type(self).__name__} is read from "
            f"{', '.join([*forms, '.pkl', '.jsonl', '.csv'])} or .txt"
        )
        if ending == ".json":
            error += "; AttributeListDataset reads .json lists"
        return ValueError(error)

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
        if ending == ".csv":
            found = CSVList(self.ann_file).schema
            if found is None:
                raise ValueError(
                    f"{self.ann_file} has no labels, so schema='all' says nothing; "
                    "leave it out"
                )
            return self._with_groups(found.names)
        if ending == ".jsonl":
            return self._header().schema
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
        if ending == ".csv":
            self._refuse_partition()
            return self._of_split(self._columns_of(CSVList(self.ann_file)))
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

    def _columns_of(self, found: CSVList) -> AnnotationTable:
        """The attributes of the schema, whatever else the file has."""
        if found.schema is None:
            return found.read(self.schema, self.label_map)
        names = found.schema.names
        lacking = [name for name in self.schema.names if name not in names]
        if lacking:
            raise ValueError(
                f"{self.ann_file} lacks the attributes {lacking} of the schema "
                f"{self.schema.title!r}; its columns are {list(names)}"
            )
        table = found.read(found.schema, self.label_map)
        order = [names.index(name) for name in self.schema.names]
        return AnnotationTable(table.paths, table.labels[:, order], table.columns)

    def _of_split(self, table: AnnotationTable) -> AnnotationTable:
        """The rows that the column ``split`` gives to this split; all without one."""
        if "split" not in table.columns:
            return table
        splits = table.columns["split"]
        wanted = [self.split]
        if self.split == "trainval" and "trainval" not in splits:
            wanted = list(self.TRAINVAL)
        chosen = np.isin(splits, wanted)
        if not chosen.any():
            raise ValueError(
                f"{self.ann_file} has the splits {sorted({*splits.tolist()})} in its "
                f"column 'split', got split={self.split!r}"
            )
        return table.take(chosen).without_column("split")

    def _refuse_partition(self) -> None:
        if self.partition:
            raise ValueError(
                f"{self.ann_file}: a {self._ending()} list has one partition, "
                f"got partition={self.partition}; leave it out"
            )

    def _opened(self) -> Release:
        ending = self._ending()
        if ending == ".pkl":
            return read_common_pickle(self.ann_file)
        if ending != _ending(self.ANN_FILE):
            raise self._unread()
        return self.read_release()

    def _header(self) -> Header:
        return read_header(self.ann_file, read_bytes(self.ann_file))

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

    @classmethod
    def available_splits(cls, **kwargs: Any) -> dict[str, list[int]]:
        """As of :class:`ReleaseDataset`; without ``ann_file`` of all five files."""
        if kwargs.get("ann_file"):
            return super().available_splits(**kwargs)
        held: dict[str, list[int]] = {}
        missing = []
        for number in range(_ZERO_SHOT_FILES):
            one = {**kwargs, "partition": number}
            try:
                found = super().available_splits(**one)
            except FileNotFoundError as error:
                missing.append(error)
                continue
            for split in found:
                held.setdefault(split, []).append(number)
        if not held:
            raise missing[0]
        return held

    def _splits_in_file(self) -> dict[str, list[int]]:
        held = super()._splits_in_file()
        if self._ending() != ".pkl":
            return held
        return {split: [self.partition] for split in held}

    def _opened(self) -> Release:
        release = super()._opened()
        if any(len(choices) > 1 for choices in release.partitions.values()):
            raise self._shares_persons()
        return release

    def _unread(self) -> ValueError:
        return self._shares_persons() if self._ending() == ".mat" else super()._unread()

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
