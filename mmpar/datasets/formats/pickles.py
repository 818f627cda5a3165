"""Pickles of plain containers, NumPy arrays and EasyDict; nothing else is unpickled."""

from __future__ import annotations

import collections
import io
import pickle
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from mmpar.datasets.formats.annotation import (
    Annotation,
    as_array,
    checked_rows,
    numbered,
    pack_paths,
)
from mmpar.datasets.formats.files import read_bytes, unreadable
from mmpar.utils.pickled_arrays import (
    NDARRAY,
    Maker,
    PickledKind,
    RefusedPickleError,
    array_from_buffer,
    empty_array,
    encode,
    no_bytes,
    scalar,
)
from mmpar.utils.read_apart import read_apart

_ENTRIES_PER_BYTE = 16
_ENTRIES = 1_000_000
"""Besides: a partition may be written as a range."""


class _AttributeDict(dict):
    """Stands in for ``easydict.EasyDict``, which holds each entry twice."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        """Leave out the attributes, which are items, too."""


def _new_object(kind: type, base: type, state: Any) -> Any:
    if kind is not _AttributeDict or base is not dict:
        raise RefusedPickleError(f"objects of the type {kind!r} are not read")
    return _AttributeDict(state)


_ALLOWED: dict[tuple[str, str], Any] = {
    ("easydict", "EasyDict"): _AttributeDict,
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("numpy", "ndarray"): NDARRAY,
    ("numpy", "dtype"): Maker(PickledKind),
    ("_codecs", "encode"): Maker(encode),
}
for _module in ("numpy.core", "numpy._core"):
    _ALLOWED[f"{_module}.multiarray", "_reconstruct"] = Maker(empty_array)
    _ALLOWED[f"{_module}.multiarray", "scalar"] = Maker(scalar)
    _ALLOWED[f"{_module}.numeric", "_frombuffer"] = Maker(array_from_buffer)
for _module in ("builtins", "__builtin__"):
    for _kind in (range, set, frozenset, dict, list, tuple, bytearray, complex):
        _ALLOWED[_module, _kind.__name__] = _kind
    _ALLOWED[_module, "xrange"] = range
    _ALLOWED[_module, "bytes"] = Maker(no_bytes)
for _module in ("copyreg", "copy_reg"):
    _ALLOWED[_module, "_reconstructor"] = Maker(_new_object)


class _DataUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise RefusedPickleError(f"it refers to {module}.{name}")
        return _ALLOWED[module, name]


def read_pickle(path: str) -> Any:
    """What a pickle of plain data holds; an EasyDict becomes a ``dict``.

    Pickles can run any program when they are read. Here only plain containers, NumPy
    arrays and scalars (of NumPy 1 and 2) and EasyDict are made, without needing the
    package easydict; pickles of Python 2 are read too.

    Raises:
        FileNotFoundError: There is no such file.
        RefusedPickleError: The file refers to anything else, which is named; nothing
            of it has run.
        ValueError: The file is truncated or no pickle, or takes too much memory or
            time, see :func:`~mmpar.utils.read_apart.read_apart`.
    """
    content = read_bytes(path)
    return read_apart(partial(_unpickled, path=path), content, path)


def _unpickled(content: bytes, path: str) -> Any:
    try:
        found = _DataUnpickler(io.BytesIO(content), encoding="latin1").load()
        return _Plain(len(content) * _ENTRIES_PER_BYTE + _ENTRIES).of(found)
    except RefusedPickleError as error:
        raise RefusedPickleError(
            f"{path} is refused: {error}. mmpar reads pickles of plain containers, "
            "NumPy arrays and EasyDict only, as others can run any program; get the "
            "file from its authors, or convert it on a machine you can afford to lose"
        ) from None
    except MemoryError:
        raise
    except Exception as error:  # broken pickles raise nearly any type
        raise unreadable(path, content, "pickle", error) from error


class _Plain:
    """Makes Python's and NumPy's own types of what was unpickled, up to a size.

    A few bytes can name a list in a list in a list, each twice, or a range without end:
    they take no memory until somebody goes through them.

    Args:
        entries: How many may be in all containers together.
    """

    def __init__(self, entries: int) -> None:
        self._left = entries

    def of(self, value: Any) -> Any:
        """Raises ``RefusedPickleError`` where there are more."""
        if isinstance(value, dict):
            self._count(len(value))
            return {self.of(name): self.of(each) for name, each in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            self._count(len(value))
            kind = next(
                k for k in (list, tuple, set, frozenset) if isinstance(value, k)
            )
            return kind(self.of(each) for each in value)
        if isinstance(value, range):
            self._count(len(value))
        if isinstance(value, np.ndarray):
            self._count(value.size)
            if value.dtype.kind == "O":
                plain = np.empty(value.shape, object)
                flat = plain.reshape(-1)
                for i, each in enumerate(value.flat):
                    flat[i] = self.of(each)
                return plain
            return np.asarray(value)
        if isinstance(value, (Maker, PickledKind)):
            raise RefusedPickleError("it has a function or a type where data should be")
        return value

    def _count(self, entries: int) -> None:
        self._left -= entries
        if self._left < 0:
            raise RefusedPickleError("it unfolds to far more entries than it has bytes")


_NAMES = ("attr_name", "attributes", "attr_words")
"""Entries with the attributes' names; the first that there is holds them."""


def read_common_pickle(path: str) -> Annotation:
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
        ValueError: It is not such a pickle; see also :func:`read_pickle`.
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
    return Annotation(
        source=path,
        attributes=_names_in(content[names], f"{path}, {names}"),
        images=pack_paths(images),
        labels=as_array(content["label"], f"{path}, label"),
        partitions=numbered({s: rows for s, rows in partitions.items() if rows}),
        columns=columns,
    )


def _partitions(found: Any, count: int, source: str) -> list[np.ndarray]:
    """One array of rows for each partition."""
    if not _is_listed(found):
        raise ValueError(f"{source}: expected row numbers, got {str(found)[:60]!r}")
    if len(found) and not _is_listed(found[0]):
        return [checked_rows(found, count, source, first=0)]
    return [_joined(rows, count, f"{source}[{i}]") for i, rows in enumerate(found)]


def _joined(rows: Any, count: int, source: str) -> np.ndarray:
    """Rows of one partition, which UPAR splits by source dataset."""
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
