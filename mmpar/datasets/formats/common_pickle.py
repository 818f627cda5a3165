"""The field's common pickled form: ``dataset_all.pkl``, ``dataset_zs_run0.pkl``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mmpar.datasets.formats.release import Release, as_array, checked_rows
from mmpar.datasets.formats.safe_pickle import read_pickle

_NAMES = ("attr_name", "attributes", "attr_words")
"""Entries with the attributes' names; the first that there is holds them."""


def read_common_pickle(path: str) -> Release:
    """Read the form that the Strong Baseline (Rethinking_of_PAR) writes.

    It is a dict, or EasyDict, of ``image_name`` (N), ``label`` (N, A), ``attr_name``
    (A) and ``partition``: split to rows from 0, or to a list of rows, one for each
    partition. OpenPAR's scripts for MSP60K write the names as ``attributes`` and
    ``attr_words``; where a pickle of theirs has ``attr_name`` too (PA-100K, RAP,
    WIDER), the others are phrases for a text encoder. UPAR's has several arrays of
    rows, one a source dataset, in each partition, and ``dataset_ids`` (N), which become
    the column ``domain``.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no such pickle; see also :func:`read_pickle`.
    """
    content = read_pickle(path)
    content = content if isinstance(content, Mapping) else {}
    names = next((name for name in _NAMES if name in content), "")
    lacking = [n for n in ("image_name", "label", "partition") if n not in content]
    lacking += [] if names else [" or ".join(_NAMES)]
    if lacking:
        raise ValueError(
            f"{path} is not in the common pickled form: it lacks {lacking}; it has "
            f"{sorted(map(str, content))}"
        )
    if not isinstance(content["partition"], Mapping):
        raise ValueError(
            f"{path}: partition is a {type(content['partition']).__name__}, expected a "
            "dict of split to row numbers, such as {'train': [0, 1], 'test': [2]}"
        )
    images = _names_in(content["image_name"], f"{path}, image_name")
    partitions = {
        str(split): _partitions(rows, len(images), f"{path}, partition.{split}")
        for split, rows in content["partition"].items()
    }
    columns = {}
    if "dataset_ids" in content:
        columns["domain"] = as_array(
            content["dataset_ids"], f"{path}, dataset_ids"
        ).ravel()
        if len(columns["domain"]) != len(images):
            raise ValueError(
                f"{path}: dataset_ids has {len(columns['domain'])} entries, image_name "
                f"{len(images)}; they should agree"
            )
    return Release(
        source=path,
        attributes=_names_in(content[names], f"{path}, {names}"),
        images=images,
        labels=as_array(content["label"], f"{path}, label"),
        partitions={split: rows for split, rows in partitions.items() if rows},
        columns=columns,
    )


def _partitions(found: Any, count: int, source: str) -> list[np.ndarray]:
    """One array of rows for each partition."""
    if not _is_listed(found):
        raise ValueError(f"{source}: expected row numbers, got {str(found)[:60]!r}")
    if len(found) == 0:
        return []
    if not _is_listed(found[0]):
        return [checked_rows(found, count, source, first=0)]
    return [_joined(rows, count, f"{source}[{i}]") for i, rows in enumerate(found)]


def _joined(rows: Any, count: int, source: str) -> np.ndarray:
    """Rows of one partition, which UPAR splits by source data set."""
    if isinstance(rows, (list, tuple)) and len(rows) and _is_listed(rows[0]):
        parts = [checked_rows(part, count, source, first=0) for part in rows]
        return np.concatenate(parts)
    return checked_rows(rows, count, source, first=0)


def _is_listed(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim > 0
    return isinstance(value, (list, tuple, range))


def _names_in(found: Any, source: str) -> list[str]:
    names = list(found) if _is_listed(found) else []
    odd = [name for name in names if not isinstance(name, str)]
    if odd or not _is_listed(found):
        raise ValueError(
            f"{source}: expected a list of names as text, found "
            f"{str(odd[0] if odd else found)[:60]!r}"
        )
    return [str(name) for name in names]
