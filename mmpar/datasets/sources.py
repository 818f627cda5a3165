"""The splits of a dataset on disk, as the tools open them."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from mmpar.datasets.attribute_list import AttributeListDataset
from mmpar.datasets.base import PARDataset
from mmpar.registry import DATASETS
from mmpar.structures import SCHEMAS, AttributeSchema


@dataclass(frozen=True)
class Part:
    """One split, in one partition, before it is read.

    Args:
        split: Its name.
        partition: From 0; a user's lists have one.
        kind: The class that reads it.
        kwargs: For the class.
    """

    split: str
    partition: int
    kind: type[PARDataset]
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    def open(self, find_missing: bool = True, **more: Any) -> PARDataset:
        """The dataset; ``find_missing=False`` does not look for its images."""
        if not find_missing:
            more["missing_images"] = "ignore"
        return self.kind(**{**self.kwargs, **more})


def readable_classes() -> dict[str, type[PARDataset]]:
    """The classes that read a release or a user's list, by name."""
    return {
        name: kind
        for name, kind in DATASETS.module_dict.items()
        if isinstance(kind, type)
        and issubclass(kind, PARDataset)
        and (kind.ANN_FILE or issubclass(kind, AttributeListDataset))
    }


def find_parts(
    kind: type[PARDataset],
    ann_file: Sequence[str] = (),
    partitions: Sequence[int] = (0,),
    split: str = "",
    must_be_named: bool = False,
    **kwargs: Any,
) -> list[Part]:
    """What the annotation files hold; images are not looked for.

    Args:
        kind: A class of :func:`readable_classes`.
        ann_file: One file; or several of a user's lists, each a split that is named
            after the file unless a column ``split`` says more.
        partitions: Of a release.
        split: Only this one. A list that does not say which split it is gets this name.
        must_be_named: Whether such a list of a release needs ``split``; otherwise it
            goes by its file name.
        kwargs: As for the class: ``data_root``, ``schema``, ...

    Returns:
        The parts, without a ``trainval`` that is train and val, by partition.

    Raises:
        ValueError: There is no such split or partition, two files give one split, or
            one must be named.
        FileNotFoundError: An annotation file is missing.
    """
    if kind.ANN_FILE:
        if len(ann_file) > 1:
            raise ValueError(
                f"{kind.__name__} is read from one annotation file, got "
                f"{list(ann_file)}; lists of your own are read by AttributeListDataset"
            )
        kwargs["ann_file"] = ann_file[0] if ann_file else ""
        return _of_release(kind, partitions, split, must_be_named, kwargs)
    if not ann_file:
        raise ValueError(f"{kind.__name__} needs its lists: --ann-file train.csv ...")
    if list(partitions) != [0]:
        raise ValueError(f"{kind.__name__} has one partition, got {list(partitions)}")
    return _of_lists(kind, ann_file, split, kwargs)


def _of_release(
    kind: type[PARDataset],
    partitions: Sequence[int],
    split: str,
    must_be_named: bool,
    kwargs: dict[str, Any],
) -> list[Part]:
    source = kwargs["ann_file"] or kind.__name__
    held = kind.available_splits(**kwargs)
    if not held:
        if must_be_named and not split:
            raise ValueError(
                f"{source} holds one split and does not say which; each of "
                f"{list(kind.SPLITS)} would get the same images. Name it: --split "
                f"{kind.SPLITS[0]}"
            )
        one = {**kwargs, "split": split or kind.SPLITS[0]}
        called = split or PurePath(source).name
        return [Part(called, n, kind, {**one, "partition": n}) for n in partitions]
    _check_split(split, held, source)
    is_union = "train" in held  # is trainval
    names = [split] if split else [s for s in held if s != "trainval" or not is_union]
    parts = []
    for number in partitions:
        given = [name for name in names if number in held[name]]
        if not given:
            raise ValueError(
                f"{source} has no partition {number} of {names}; it has {held}"
            )
        for name in given:
            one = {**kwargs, "split": name, "partition": number}
            parts.append(Part(name, number, kind, one))
    return parts


def _of_lists(
    kind: type[PARDataset],
    files: Sequence[str],
    split: str,
    kwargs: dict[str, Any],
) -> list[Part]:
    parts: dict[str, Part] = {}
    for file in files:
        one = {**kwargs, "ann_file": file}
        held, schema = _splits_of_list(kind, one)
        if held:
            _check_split(split, held, file)
            names = [split] if split else held
            found = {name: {**one, "split": name} for name in names}
        else:
            found = {split or PurePath(file).stem: one}
        for name, arguments in found.items():
            if name in parts:
                raise ValueError(
                    f"{parts[name].kwargs['ann_file']} and {file} both give the split "
                    f"{name!r}; rename one of the files, or put them together"
                )
            parts[name] = Part(name, 0, kind, arguments)
        if schema is not None:
            # The next file may name the same attributes in another order.
            kwargs.setdefault("schema", schema)
    return list(parts.values())


def _splits_of_list(
    kind: type[PARDataset], kwargs: dict[str, Any]
) -> tuple[list[str], AttributeSchema | None]:
    """The splits that the file has, in their order, and the schema.

    A faulty list has neither; opening it raises the error.
    """
    try:
        dataset = kind(lazy_init=True, **kwargs)
        annotation = dataset.annotation()
    except (ValueError, FileNotFoundError):
        return [], None
    partitions = annotation.partitions or {}
    if "" in partitions:
        count = len(partitions[""][0])
        raise ValueError(
            f"{dataset.ann_file}: the column 'split' is empty in {count} of "
            f"{len(annotation.images)} rows; fill it, or take it out"
        )
    return list(partitions), dataset.schema


def _check_split(split: str, held: Iterable[str], source: str) -> None:
    if split and split not in held:
        raise ValueError(f"{source} has the splits {list(held)}, got split={split!r}")


def source_arguments(args: argparse.Namespace) -> dict[str, Any]:
    """The arguments of :func:`mmpar.utils.cli.add_source_arguments` for the class.

    Only what was given; ``ann_file`` is a list of files.
    """
    schema = args.schema
    of_a_list = args.dataset == "AttributeListDataset"
    if schema and schema not in SCHEMAS and ("," in schema or of_a_list):
        schema = dict(names=[name.strip() for name in schema.split(",")])
    given = dict(
        data_root=args.source,
        ann_file=args.ann_file,
        data_prefix=args.data_prefix,
        outside_images=args.outside_images,
        schema=schema,
        one_hot=args.one_hot,
        label_map=args.label_map,
    )
    return {name: value for name, value in given.items() if value}
