"""What every PAR dataset shares: files, schema, splits, labels in columns, checks."""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Callable
from unicodedata import normalize

import numpy as np
from mmengine import fileio
from mmengine.dataset import BaseDataset, force_full_init
from mmengine.logging import print_log

from mmpar.datasets.file_backends import (
    archive_of,
    is_local,
    missing_files,
    paths_outside,
)
from mmpar.datasets.formats.annotation import (
    ANY,
    Annotation,
    AnnotationTable,
    PackedStrings,
    Rows,
    checked_label_map,
)
from mmpar.datasets.formats.files import shown, shown_path
from mmpar.datasets.formats.lists import read_csv, read_text
from mmpar.datasets.formats.openmmlab_json import read_json_lines, read_openmmlab
from mmpar.datasets.formats.pickles import read_common_pickle
from mmpar.datasets.keypoints import KeypointArray
from mmpar.datasets.positive_ratios import count_labels, ratios_of
from mmpar.registry import TRANSFORMS
from mmpar.structures import AttributeSchema, build_schema
from mmpar.structures.attribute_schema import composed

Reader = Callable[[str], Annotation]
"""Reads an annotation file."""

_ROW = "keypoint_row"
"""Column with the row of ``keypoints``, so that it follows its sample into subsets."""

_USUAL_SPLITS = ("train", "val", "test", "trainval")
_NUM_PARTITIONS = 5
"""Files of a release that has one for each partition."""


class SampleError(RuntimeError):
    """A sample could not be prepared; the message names its image."""


class PARDataset(BaseDataset):
    """Base of the pedestrian attribute datasets.

    A subclass sets ``SCHEMA``, ``SPLITS``, ``METAINFO['dataset_name']``, where its
    files are (``ANN_FILE``, ``IMAGE_DIRS``), and in ``FORMATS`` what reads them: the
    ending of ``ann_file`` to a function that gives an :class:`Annotation`. Every class
    reads text lists (:func:`read_text`), CSV (:func:`read_csv`), the common pickled
    form (:func:`read_common_pickle`) and OpenMMLab's JSON (:func:`read_openmmlab`), as
    ``tools/dataset_converters/prepare.py`` writes it. Attributes are matched by name,
    those of a text list by their order. A sample is a dict with

    - ``img_path``: str,
    - ``gt_score``: float32, shape (A,), 1 present, 0 absent, -1 unknown, in the order
      of the schema,
    - ``sample_idx``: int,
    - the further columns of the annotation, if any.

    Unlike its MMEngine base it keeps the annotation in columns
    (:class:`AnnotationTable`) that are small, that workers share, and that make counts
    over all labels cheap; and a sample whose pipeline fails is an error that names the
    image, never replaced by another sample.

    Example:
        >>> from mmpar.datasets import SyntheticPAR
        >>> dataset = SyntheticPAR(num_samples=2, split="train")
        >>> len(dataset), dataset.schema.names[:2]
        (2, ('Female', 'AgeOver60'))
        >>> dataset[0]["gt_score"].shape
        (26,)

    Args:
        data_root: Folder that relative ``ann_file`` and ``data_prefix`` start from.
        ann_file: Annotation file; by default ``ANN_FILE``.
        split: One of ``SPLITS``, or what the file has; empty for a class without
            splits.
        partition: Which of the file's numbered partitions, from 0.
        data_prefix: Folder of the images, a path or ``dict(img_path=path)``; by default
            whichever of ``IMAGE_DIRS`` there is. In an archive it is what their names
            begin with, by default the first of them, and has no ``data_root``.
        schema: Attributes, in any order, as :func:`build_schema` takes them; by default
            ``SCHEMA``; ``'all'`` takes those of the file.
        label_map: Labels that the annotation writes otherwise than as 1, 0 and -1, to
            these: ``{-1: 0}`` where -1 means absent, ``{'yes': 1, 'no': 0}``. Keys may
            be words throughout, as ``--cfg-options`` gives them: ``label_map.-1=0``.
        missing_images: Listed images that do not exist are an ``'error'``, or
            ``'drop'`` drops them with a warning; ``'ignore'`` does not look for
            them, for tools that read annotations only. Checked in folders, zip files
            and LMDBs: for remote images the error comes when one is read.
        outside_images: Listed images outside the image folder (``data_prefix``, or
            ``data_root`` without it), to which ``../``, absolute paths and links may
            lead, are an ``'error'``, or ``'allow'`` takes them. Without either folder
            the list alone says where images are, and in an archive none is outside.
        backend_args: MMEngine file backend of the images, such as
            ``dict(backend='mmpar_lmdb', db_path=...)``; the loading transform needs the
            same.
        keypoints: File of :class:`KeypointArray`, relative to ``data_root``. Samples
            then have ``gt_keypoints``, float32, shape (1, 17, 3): x, y and visibility,
            1 usable or 0 missing, which the transforms move.
        metainfo: Added to the meta information, which checkpoints carry.
        indices: Use the first n samples (the last n if negative), or these rows; or
            those whose numbers, from 0, are the lines of this text file.
        pipeline: Transforms.
        test_mode: As in MMEngine.
        lazy_init: Read the annotation at first use instead of now.

    Raises:
        ValueError: Unknown split or partition, an ending that the class does not read,
            a faulty annotation, images outside, no sample left.
        FileNotFoundError: Annotation, keypoints or images are missing.
    """

    SCHEMA: str | AttributeSchema | None = None
    SPLITS: tuple[str, ...] = ()
    FORMATS: Mapping[str, Reader] = {
        ".txt": read_text,
        ".csv": read_csv,
        ".json": read_openmmlab,
        ".jsonl": read_json_lines,
        ".pkl": read_common_pickle,
    }
    """Ending of the annotation file, in lower case, to what reads it."""
    ANN_FILE: str = ""
    """In it ``{partition}`` is the number, ``{part}`` is ``trainval`` or ``test``."""
    ANN_DIRS: tuple[str, ...] = ()
    """Folders that archives of the annotation unpack to."""
    IMAGE_DIRS: tuple[str, ...] = ()
    """Where the release and its copies put the images, below ``data_root``."""
    TRAINVAL: tuple[str, ...] = ("train", "val")
    """What ``trainval`` is in a file that has no split of that name."""
    NUM_IMAGES: Mapping[str, int] = {}
    """Published number of images of each split."""
    IDENTITY_OVERLAP = False
    """Whether the published splits have images of one person in both."""
    SEEN_SHARES: Mapping[int, float] = {}
    """Percent of the test images that show a person of trainval, by partition."""
    KNOWN_FLAWS: Mapping[str, Collection[str]] = {}
    """What the doctor finds in a perfect copy: ``'two ages'`` and the like, or
    ``'copies'``, to images as listed; ``'never present'`` to attributes."""

    ann_file: str
    table: AnnotationTable
    data_prefix: dict[str, str]
    keypoints: KeypointArray | None = None
    _fully_initialized: bool = False

    def __init__(
        self,
        *,
        data_root: str = "",
        ann_file: str = "",
        split: str = "",
        partition: int = 0,
        data_prefix: str | Mapping[str, str] = "",
        schema: str | Mapping[str, Any] | AttributeSchema | None = None,
        label_map: Mapping[Any, int] | None = None,
        missing_images: str = "error",
        outside_images: str = "error",
        backend_args: Mapping[str, Any] | None = None,
        keypoints: str | None = None,
        metainfo: Mapping[str, Any] | None = None,
        indices: int | Sequence[int] | str | None = None,
        pipeline: Sequence[dict | Callable] = (),
        test_mode: bool = False,
        lazy_init: bool = False,
    ) -> None:
        if missing_images not in ("error", "drop", "ignore"):
            raise ValueError(
                f"missing_images is 'error', 'drop' or 'ignore', got {missing_images!r}"
            )
        if outside_images not in ("error", "allow"):
            raise ValueError(
                f"outside_images is 'error' or 'allow', got {outside_images!r}"
            )
        self.split = self._checked_split(split)
        self.partition = partition
        self._find_images = not data_prefix
        self._annotation: Annotation | None = None
        default = self.ANN_FILE.format(
            partition=partition, part="test" if split == "test" else "trainval"
        )
        self.label_map = checked_label_map(label_map)
        self.missing_images = missing_images
        self.outside_images = outside_images
        self.backend_args = dict(backend_args) if backend_args else None
        self.keypoint_file = os.path.expanduser(keypoints) if keypoints else None
        self._row_file = indices if isinstance(indices, str) else None
        if isinstance(data_prefix, str):
            data_prefix = dict(img_path=data_prefix)
        super().__init__(
            ann_file=os.path.expanduser(ann_file or default),
            metainfo=_plain(metainfo),
            data_root=os.path.expanduser(data_root),
            data_prefix={k: os.path.expanduser(v) for k, v in data_prefix.items()},
            indices=_read_rows(indices) if isinstance(indices, str) else indices,
            pipeline=[
                TRANSFORMS.build(step) if isinstance(step, Mapping) else step
                for step in pipeline
            ],
            test_mode=test_mode,
            lazy_init=True,
        )
        self._set_schema(self.resolve_schema(schema))
        if not lazy_init:
            self.full_init()

    @classmethod
    def _checked_split(cls, split: str) -> str:
        # A file may have more splits than were published: its reader says which.
        if cls.ANN_FILE and split in _USUAL_SPLITS:
            return split
        if cls.SPLITS and split not in cls.SPLITS:
            raise ValueError(
                f"{cls.__name__} has the splits {list(cls.SPLITS)}, got split={split!r}"
            )
        if split and not cls.SPLITS:
            raise ValueError(
                f"{cls.__name__} has no splits, got split={split!r}; "
                "give the annotation file of the split as ann_file"
            )
        return split

    # --- the annotation file --------------------------------------------------------

    @classmethod
    def available_splits(cls, **kwargs: Any) -> dict[str, list[int]]:
        """Which ``split`` and ``partition`` the annotation gives.

        It reads the annotation, or the several that are ``ANN_FILE``, and looks for no
        image.

        Args:
            kwargs: As for the class: ``data_root``, ``ann_file``, ...

        Returns:
            Split to the numbers of its partitions, ``'trainval'`` last where it is made
            of others; empty for a list of one split, which does not say which it is.

        Raises:
            ValueError, FileNotFoundError: As the class does for a faulty annotation.
        """
        held: dict[str, list[int]] = {}
        missing = []
        for choice in cls._choices(kwargs.get("ann_file") or ""):
            try:
                dataset = cls(lazy_init=True, **{"split": "train", **kwargs, **choice})
                partitions = dataset.annotation().partitions
            except FileNotFoundError as error:
                missing.append(error)
                continue
            for split, found in (partitions or {}).items():
                numbers = [dataset.partition if n == ANY else n for n in found]
                held.setdefault(split, []).extend(numbers)
        if missing and (not held or "{part}" in cls.ANN_FILE):
            raise missing[0]
        common = [held.get(part, []) for part in cls.TRAINVAL]
        both = [n for n in common[0] if all(n in numbers for numbers in common)]
        return held if "trainval" in held or not both else {**held, "trainval": both}

    @classmethod
    def _choices(cls, ann_file: str) -> list[dict[str, Any]]:
        """Arguments with which all of the annotation is read."""
        if ann_file:
            return [{}]
        if "{part}" in cls.ANN_FILE:
            return [dict(split="train"), dict(split="test")]
        if "{partition}" in cls.ANN_FILE:
            return [dict(partition=number) for number in range(_NUM_PARTITIONS)]
        return [{}]

    def _join_prefix(self) -> None:
        """Complete ``ann_file``, which may be in one of ``ANN_DIRS``, and prefixes."""
        names_begin_with = dict(self.data_prefix)
        super()._join_prefix()
        if archive_of(self.backend_args) is not None:
            self.data_prefix = names_begin_with
        others = self._other_places()
        if others and not fileio.exists(self.ann_file):
            there = (place for place in others if fileio.exists(place))
            self.ann_file = next(there, self.ann_file)

    def _other_places(self) -> list[str]:
        """Where the annotation may be if it is not at ``ann_file``."""
        folder, _, name = self.ann_file.rpartition("/")
        return [f"{folder or '.'}/{other}/{name}" for other in self.ANN_DIRS]

    def _image_dir(self) -> str:
        """Whichever of ``IMAGE_DIRS`` there is."""
        if archive_of(self.backend_args) is not None:
            return self.IMAGE_DIRS[0]
        dirs = [fileio.join_path(self.data_root, name) for name in self.IMAGE_DIRS]
        if not is_local(self.data_root, self.backend_args):
            return dirs[0]
        for one in dirs:
            if fileio.isdir(one):
                return one
        raise FileNotFoundError(
            f"found none of the image folders {dirs}; unpack the release there or give "
            "the folder as data_prefix"
        )

    def read_annotation(self) -> Annotation:
        """Read ``self.ann_file`` by the reader of its ending.

        Raises:
            ValueError: The class reads no such ending; see also the readers.
            FileNotFoundError: There is no such file.
        """
        reader = self.FORMATS.get(os.path.splitext(self.ann_file)[1].lower())
        if reader is None:
            raise ValueError(
                f"{self.ann_file}: {type(self).__name__} is read from files that end "
                f"in one of {sorted(self.FORMATS)}"
            )
        return reader(self.ann_file)

    def complete(self, annotation: Annotation) -> Annotation:
        """What a class makes of the annotation when its schema is known."""
        return annotation

    def annotation(self) -> Annotation:
        """What the file says, kept until :meth:`load_annotations` has used it."""
        if self._annotation is None:
            self._annotation = self.read_annotation()
        return self._annotation

    def resolve_schema(
        self, schema: str | Mapping[str, Any] | AttributeSchema | None
    ) -> AttributeSchema:
        """The schema of this dataset, given the argument of the constructor."""
        if schema == "all":
            return self._full_schema()
        spec = schema if schema is not None else self.SCHEMA
        if spec is None:
            raise ValueError(f"{type(self).__name__} needs the argument schema")
        return build_schema(spec)

    def _full_schema(self) -> AttributeSchema:
        """All attributes of the file, in its groups or those of the evaluated ones."""
        evaluated = build_schema(self.SCHEMA) if self.SCHEMA else None
        title = f"{evaluated.title if evaluated else 'custom'}, all attributes"
        annotation = self.annotation()
        found = annotation.schema(title)
        if found is None:
            raise ValueError(
                f"{self.ann_file} has no attribute names, so schema='all' says "
                "nothing; name the schema, or list its attributes"
            )
        if evaluated is None or annotation.schema_fields:
            return found
        groups = {
            group: tuple(name for name in members if name in found.names)
            for group, members in evaluated.groups.items()
        }
        sets = (names for names in evaluated.exclusive if {*names} <= {*found.names})
        return AttributeSchema(found.names, groups, title, tuple(sets))

    def load_annotations(self) -> AnnotationTable:
        """The samples of ``self.split``; labels in the order of the schema."""
        annotation, self._annotation = self.complete(self.annotation()), None
        table = annotation.select(
            self.schema, self.split, self.partition, self.label_map, self.TRAINVAL
        )
        if self._find_images and self.IMAGE_DIRS:
            self.data_prefix["img_path"] = self._image_dir()
        return table

    # --- images ---------------------------------------------------------------------

    def find_missing(self, table: AnnotationTable) -> np.ndarray:
        """Rows, ascending, whose image does not exist."""
        paths = (self.full_path(path) for path in table.paths)
        archive = archive_of(self.backend_args)
        if archive is not None:
            return archive.missing(paths)
        if not is_local(self.img_prefix, self.backend_args):
            return np.empty(0, np.int64)
        return missing_files(paths)

    # --- checks ---------------------------------------------------------------------

    def full_init(self) -> None:
        """Read and check the annotation, once."""
        if self._fully_initialized:
            return
        table = self.load_annotations()
        if self.outside_images == "error":
            self._require_inside(table)
        if self.missing_images != "ignore":
            table = self._without_missing(table)
        chosen = self._row_file or shown(self._indices)
        if self._indices is not None:
            try:
                table = table.take(self._indices)
            except ValueError as error:
                raise ValueError(
                    f"{self.display_name}, indices={chosen}: {error}"
                ) from error
        if len(table) == 0:
            raise ValueError(
                f"{self.display_name} has no samples; check ann_file={self.ann_file!r} "
                f"and indices={chosen}"
            )
        if self.keypoint_file is not None:
            if "bbox" in table.columns:
                raise ValueError(
                    f"{self.display_name} crops persons out of images (bbox), and "
                    f"keypoints={self.keypoint_file!r} has one person per image, in "
                    "its pixels; set keypoints=None"
                )
            file = os.path.join(self.data_root, self.keypoint_file)
            self.keypoints = KeypointArray(file)
            table = table.with_column(_ROW, self.keypoints.rows_of(table.paths))
        self.table = table
        self._fully_initialized = True

    def _require_inside(self, table: AnnotationTable) -> None:
        """Refuse a list of others that names any file of this machine as an image.

        Raises:
            ValueError: It names one outside the image folder.
        """
        folder = self.img_prefix
        if folder == "" or archive_of(self.backend_args) is not None:
            return
        paths = (self.full_path(path) for path in table.paths)
        outside = paths_outside(folder, paths, is_local(folder, self.backend_args))
        if len(outside):
            first = ", ".join(table.paths[int(i)] for i in outside[:3])
            raise ValueError(
                f"{self.display_name}: {len(outside)} of {len(table)} images that "
                f"{self.ann_file or 'the dataset'} lists are "
                f"outside the image folder {folder}, first: {first} (by '..', an "
                "absolute path or a link). If they are meant, give the folder that "
                "holds them as data_prefix, or set outside_images='allow'"
            )

    def _without_missing(self, table: AnnotationTable) -> AnnotationTable:
        table, missing = self._as_stored(table, self.find_missing(table))
        if len(missing) == 0:
            return table
        paths = ((i, self.full_path(table.paths[int(i)])) for i in missing[:3])
        first = ", ".join(f"{shown_path(path)} (sample {i})" for i, path in paths)
        found = (
            f"{self.display_name}: {len(missing)} of {len(table)} images listed in "
            f"{self.ann_file or 'the dataset'} do not exist, first: {first}"
        )
        if self.missing_images == "error":
            raise FileNotFoundError(
                f"{found}. Check data_root, data_prefix and backend_args, or drop them "
                "with missing_images='drop'"
            )
        warnings.warn(f"{found}. They are dropped", stacklevel=2)
        there = np.ones(len(table), dtype=bool)
        there[missing] = False
        return table.take(there)

    def _as_stored(
        self, table: AnnotationTable, missing: np.ndarray
    ) -> tuple[AnnotationTable, np.ndarray]:
        """Take names whose letters are stored in the other form of Unicode.

        An accented letter is one character (NFC) or two (NFD): macOS writes file names
        in the latter, most lists have the former.
        """
        stored: dict[int, str] = {}
        for form in ("NFC", "NFD"):
            names = {int(i): normalize(form, table.paths[int(i)]) for i in missing}
            other = {i: name for i, name in names.items() if name != table.paths[i]}
            rows = list(other)
            candidates = AnnotationTable.of(other.values(), table.labels[rows])
            absent = set(self.find_missing(candidates).tolist()) if other else set()
            stored.update(
                (row, other[row]) for k, row in enumerate(rows) if k not in absent
            )
        if not stored:
            return table, missing
        print_log(
            f"{self.display_name}: the files of {len(stored)} listed images have names "
            "in the other form of Unicode (NFC, NFD), and are taken",
            "current",
        )
        paths = (stored.get(i, path) for i, path in enumerate(table.paths))
        renamed = AnnotationTable(
            PackedStrings.pack(paths), table.labels, table.columns
        )
        return renamed, missing[~np.isin(missing, list(stored))]

    def _set_schema(self, schema: AttributeSchema) -> None:
        given = self._metainfo.get("classes", schema.names)
        if tuple(map(composed, given)) != schema.names:
            raise ValueError(
                f"metainfo['classes'] {list(given)} differs from the attributes of "
                f"{self.display_name} {list(schema.names)}; give your own as schema"
            )
        self._metainfo.setdefault("dataset_name", type(self).__name__)
        self._metainfo["classes"] = list(schema.names)
        self._metainfo["schema"] = schema.to_dict()

    @property
    def schema(self) -> AttributeSchema:
        """Attribute names, order and body-region groups."""
        return build_schema(self._metainfo["schema"])

    @property
    def img_prefix(self) -> str:
        """Folder of the images."""
        return self.data_prefix.get("img_path", "")

    def full_path(self, path: str) -> str:
        if self.img_prefix in ("", ".") or os.path.isabs(path) or "://" in path:
            return path
        return f"{self.img_prefix.rstrip('/')}/{path}"

    @property
    def display_name(self) -> str:
        """Class and split, for errors and logs."""
        return f"{type(self).__name__} {self.split}".rstrip()

    # --- samples --------------------------------------------------------------------

    @force_full_init
    def __len__(self) -> int:
        return len(self.table)

    @force_full_init
    def get_data_info(self, idx: int) -> dict[str, Any]:
        """The annotation of one sample; see the class for its entries."""
        idx = range(len(self))[idx]
        info = {name: column[idx] for name, column in self.table.columns.items()}
        info["img_path"] = self.full_path(self.table.paths[idx])
        info["gt_score"] = self.table.labels[idx].astype(np.float32)
        info["sample_idx"] = idx
        if self.keypoints is not None:
            info["gt_keypoints"] = self.keypoints[info.pop(_ROW)][None]
        return info

    def prepare_data(self, idx: int) -> Any:
        """Run the pipeline on one sample.

        Raises:
            SampleError: The pipeline failed or gave up; names the image.
        """
        info = self.get_data_info(idx)
        where = f"{self.display_name}, sample {info['sample_idx']}, {info['img_path']}"
        try:
            data = self.pipeline(info)
        except Exception as error:
            raise SampleError(f"{where}: {type(error).__name__}: {error}") from error
        if data is None:
            raise SampleError(
                f"{where}: a transform returned None instead of a sample; repair or "
                "replace the image, or take its line out of the annotation"
            )
        return data

    def get_cat_ids(self, idx: int) -> list[int]:
        """Positions of the attributes present, for ``ClassBalancedDataset``."""
        return np.flatnonzero(self.get_labels()[idx] == 1).tolist()

    @force_full_init
    def get_labels(self) -> np.ndarray:
        """Labels of the samples in use, int8, shape (N, A); do not write to it."""
        return self.table.labels

    @force_full_init
    def label_counts(
        self, sample_weight: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """How often each attribute is present, and known.

        Args:
            sample_weight: How often each sample counts, shape (N,); by default once.

        Returns:
            Two int64 arrays of shape (A,).
        """
        return count_labels(self.table.labels, sample_weight)

    def positive_ratios(self) -> np.ndarray:
        """Share of 1 among the known labels of the samples in use.

        Returns:
            float64, shape (A,), in [0, 1]. An attribute without a known label has
            none: it gets the neutral 0.5 and a warning names it.
        """
        positives, known = self.label_counts()
        never = [name for name, n in zip(self.schema.names, known) if n == 0]
        if never:
            warnings.warn(
                f"no sample has a known label for {never}; their positive ratio is "
                "taken as 0.5",
                stacklevel=2,
            )
        return ratios_of(positives, known)

    # --- subsets --------------------------------------------------------------------

    @force_full_init
    def get_subset_(self, indices: Rows) -> None:
        """Keep some samples only; ``indices`` as in the constructor."""
        self.table = self.table.take(indices)

    @force_full_init
    def get_subset(self, indices: Rows) -> PARDataset:
        """A dataset of some samples; ``indices`` as in the constructor."""
        subset = copy.copy(self)
        subset._metainfo = copy.deepcopy(self._metainfo)
        subset.pipeline = copy.deepcopy(self.pipeline)
        subset.table = self.table.take(indices)
        return subset

    # --- description ----------------------------------------------------------------

    def __repr__(self) -> str:
        count = len(self.table) if self._fully_initialized else "not read yet"
        body = [f"Number of samples: \t{count}", *self.extra_repr()]
        if self.pipeline.transforms:
            body.append("With transforms:")
            body += [f"    {transform}" for transform in self.pipeline.transforms]
        return "\n    ".join([f"Dataset {type(self).__name__}", *body])

    def extra_repr(self) -> list[str]:
        """Lines of the ``repr`` between the size and the transforms."""
        return [
            f"Split: \t{self.split or '-'}",
            f"Attributes: \t{len(self.schema)} ({self.schema.title})",
            f"Partition: \t{self.partition}",
            f"Annotation file: \t{self.ann_file or '-'}",
            f"Prefix of images: \t{self.img_prefix or '-'}",
        ]


def _read_rows(file: str) -> list[int]:
    """Row numbers, one per line: a fold of thousands is too long for a config."""
    try:
        return np.array(fileio.get_text(file).split(), np.int64).tolist()
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"indices={file!r} is a file of row numbers from 0, one per line: {error}"
        ) from error


def _plain(value: Any) -> Any:
    """Configs to dicts: checkpoints load with plain containers only."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
