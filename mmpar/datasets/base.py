"""What every PAR data set shares: schema, splits, labels in columns, checks, errors."""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Callable
from unicodedata import normalize

import numpy as np
from mmengine.dataset import BaseDataset, force_full_init
from mmengine.logging import print_log

from mmpar.datasets.file_backends import (
    archive_of,
    is_local,
    missing_files,
    paths_outside,
)
from mmpar.datasets.formats import AnnotationTable
from mmpar.datasets.formats.annotation import PackedStrings, Rows, checked_label_map
from mmpar.datasets.keypoints import KeypointArray
from mmpar.datasets.positive_ratios import count_labels, ratios_of
from mmpar.registry import TRANSFORMS
from mmpar.structures import AttributeSchema, build_schema
from mmpar.structures.attribute_schema import composed

_ROW = "keypoint_row"
"""Column with the row of ``keypoints``, so that it follows its sample into subsets."""


class SampleError(RuntimeError):
    """A sample could not be prepared; the message names its picture."""


class PARDataset(BaseDataset):
    """Base of the pedestrian attribute data sets.

    A subclass sets ``SCHEMA``, ``SPLITS`` and ``METAINFO['dataset_name']`` and
    implements :meth:`load_annotations`. A sample is a dict with

    - ``img_path``: str,
    - ``gt_score``: float32, shape (A,), 1 present, 0 absent, -1 unknown, in the order
      of the schema,
    - ``sample_idx``: int,
    - the further columns of the annotation, if any.

    Unlike its MMEngine base it keeps the annotation in columns
    (:class:`AnnotationTable`) that are small, that workers share, and that make counts
    over all labels cheap; and a sample whose pipeline fails is an error that names the
    picture, never replaced by another sample.

    Args:
        data_root: Folder that relative ``ann_file`` and ``data_prefix`` start from.
        ann_file: Annotation file.
        split: One of ``SPLITS``; empty for a class without splits.
        data_prefix: Folder of the pictures, a path or ``dict(img_path=path)``. In a zip
            file or LMDB it is what their names begin with, and has no ``data_root``.
        schema: Attributes, as :func:`build_schema` takes them; by default ``SCHEMA``.
        label_map: Labels that the annotation writes otherwise than as 1, 0 and -1, to
            these: ``{-1: 0}`` where -1 means absent, ``{'yes': 1, 'no': 0}``. Keys may
            be words throughout, as ``--cfg-options`` gives them: ``label_map.-1=0``.
        missing_images: Listed pictures that do not exist are an ``'error'``, or
            ``'drop'`` leaves them out with a warning. Checked in folders, zip files and
            LMDBs: for remote pictures the error comes when one is read.
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
        indices: Use the first (negative: last) so many samples, or these rows.
        pipeline: Transforms.
        test_mode: As in MMEngine.
        lazy_init: Read the annotation at first use instead of now.

    Raises:
        ValueError: Unknown split, faulty annotation, images outside, no sample left.
        FileNotFoundError: Annotation, keypoints or pictures are missing.
    """

    SCHEMA: str | AttributeSchema | None = None
    SPLITS: tuple[str, ...] = ()

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
        data_prefix: str | Mapping[str, str] = "",
        schema: str | Mapping[str, Any] | AttributeSchema | None = None,
        label_map: Mapping[Any, int] | None = None,
        missing_images: str = "error",
        outside_images: str = "error",
        backend_args: Mapping[str, Any] | None = None,
        keypoints: str | None = None,
        metainfo: Mapping[str, Any] | None = None,
        indices: int | Sequence[int] | None = None,
        pipeline: Sequence[dict | Callable] = (),
        test_mode: bool = False,
        lazy_init: bool = False,
    ) -> None:
        if missing_images not in ("error", "drop"):
            raise ValueError(
                f"missing_images is 'error' or 'drop', got {missing_images!r}"
            )
        if outside_images not in ("error", "allow"):
            raise ValueError(
                f"outside_images is 'error' or 'allow', got {outside_images!r}"
            )
        self.split = self._checked_split(split)
        self.label_map = checked_label_map(label_map)
        self.missing_images = missing_images
        self.outside_images = outside_images
        self.backend_args = dict(backend_args) if backend_args else None
        self.keypoint_file = os.path.expanduser(keypoints) if keypoints else None
        if isinstance(data_prefix, str):
            data_prefix = dict(img_path=data_prefix)
        super().__init__(
            ann_file=os.path.expanduser(ann_file),
            metainfo=_plain(metainfo),
            data_root=os.path.expanduser(data_root),
            data_prefix={k: os.path.expanduser(v) for k, v in data_prefix.items()},
            indices=indices,
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

    # --- for subclasses -------------------------------------------------------------

    def load_annotations(self) -> AnnotationTable:
        """Read the annotation of ``self.split``; labels in the order of the schema.

        What is written is a label as :func:`checked_labels` or :func:`label_codes` say,
        given ``self.label_map``.
        """
        raise NotImplementedError(f"{type(self).__name__} must say how it is read")

    def resolve_schema(
        self, schema: str | Mapping[str, Any] | AttributeSchema | None
    ) -> AttributeSchema:
        """The schema of this data set, given the argument of the constructor."""
        spec = schema if schema is not None else self.SCHEMA
        if spec is None:
            raise ValueError(f"{type(self).__name__} needs the argument schema")
        return build_schema(spec)

    def find_missing(self, table: AnnotationTable) -> np.ndarray:
        """Rows, ascending, whose picture does not exist."""
        paths = (self._full_path(path) for path in table.paths)
        archive = archive_of(self.backend_args)
        if archive is not None:
            return archive.missing(paths)
        if not is_local(self.img_prefix, self.backend_args):
            return np.empty(0, np.int64)
        return missing_files(paths)

    # --- annotation -----------------------------------------------------------------

    def full_init(self) -> None:
        """Read and check the annotation, once."""
        if self._fully_initialized:
            return
        table = self.load_annotations()
        if self.outside_images == "error":
            self._require_inside(table)
        table = self._without_missing(table)
        if self._indices is not None:
            table = table.take(self._indices)
        if len(table) == 0:
            raise ValueError(
                f"{self._called()} has no samples; check ann_file={self.ann_file!r} "
                f"and indices={self._indices!r}"
            )
        if self.keypoint_file is not None:
            if "person_box" in table.columns:
                raise ValueError(
                    f"{self._called()} cuts persons out of pictures (person_box), and "
                    f"keypoints={self.keypoint_file!r} has one person a picture, in "
                    "its pixels; set keypoints=None and take another kind of PLE: "
                    "model.neck.ple.type=BlockPLE"
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
        if folder in ("", ".") or archive_of(self.backend_args) is not None:
            return
        paths = (self._full_path(path) for path in table.paths)
        outside = paths_outside(folder, paths, is_local(folder, self.backend_args))
        if len(outside):
            first = ", ".join(table.paths[int(i)] for i in outside[:3])
            raise ValueError(
                f"{self._called()}: {len(outside)} of {len(table)} images that "
                f"{self.ann_file or 'the dataset'} lists lie "
                f"outside the image folder {folder}, first: {first} (by '..', an "
                "absolute path or a link). If they are meant, give the folder that "
                "holds them as data_prefix, or set outside_images='allow'"
            )

    def _without_missing(self, table: AnnotationTable) -> AnnotationTable:
        table, missing = self._as_stored(table, self.find_missing(table))
        if len(missing) == 0:
            return table
        first = ", ".join(self._full_path(table.paths[int(i)]) for i in missing[:3])
        found = (
            f"{self._called()}: {len(missing)} of {len(table)} listed pictures do not "
            f"exist, first: {first}"
        )
        if self.missing_images == "error":
            raise FileNotFoundError(
                f"{found}. Check data_root, data_prefix and backend_args, or leave "
                "them out with missing_images='drop'"
            )
        warnings.warn(f"{found}. They are left out", stacklevel=2)
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
            f"{self._called()}: the files of {len(stored)} listed images have names in "
            "the other form of Unicode (NFC, NFD), and are taken",
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
                f"{self._called()} {list(schema.names)}; give your own as schema"
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
        """Folder of the pictures."""
        return self.data_prefix.get("img_path", "")

    def _join_prefix(self) -> None:
        names_begin_with = dict(self.data_prefix)
        super()._join_prefix()
        if archive_of(self.backend_args) is not None:
            self.data_prefix = names_begin_with

    def _full_path(self, path: str) -> str:
        if self.img_prefix in ("", ".") or os.path.isabs(path) or "://" in path:
            return path
        return f"{self.img_prefix.rstrip('/')}/{path}"

    def _called(self) -> str:
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
        info["img_path"] = self._full_path(self.table.paths[idx])
        info["gt_score"] = self.table.labels[idx].astype(np.float32)
        info["sample_idx"] = idx
        if self.keypoints is not None:
            info["gt_keypoints"] = self.keypoints[info.pop(_ROW)][None]
        return info

    def prepare_data(self, idx: int) -> Any:
        """Run the pipeline on one sample.

        Raises:
            SampleError: The pipeline failed or gave up; names the picture.
        """
        info = self.get_data_info(idx)
        where = f"{self._called()}, sample {info['sample_idx']}, {info['img_path']}"
        try:
            data = self.pipeline(info)
        except Exception as error:
            raise SampleError(f"{where}: {type(error).__name__}: {error}") from error
        if data is None:
            raise SampleError(
                f"{where}: a transform returned None instead of a sample; repair or "
                "replace the picture, or take its line out of the annotation"
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
        self, times: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """How often each attribute is present, and known.

        Args:
            times: How often each sample counts, shape (N,); by default once.

        Returns:
            Two int64 arrays of shape (A,).
        """
        return count_labels(self.table.labels, times)

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
        """A data set of some samples; ``indices`` as in the constructor."""
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
            f"Annotation file: \t{self.ann_file or '-'}",
            f"Prefix of images: \t{self.img_prefix or '-'}",
        ]


def _plain(value: Any) -> Any:
    """Configs to dicts: checkpoints load with plain containers only."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
