"""Arrays and scalars of pickles, made without trusting anything that a pickle says."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

_KINDS = "biufcSUO"


class RefusedPickleError(ValueError):
    """A pickle refers to something else than data."""


class PickledKind:
    """Stands in for ``numpy.dtype``, whose state could call numbers objects.

    Numbers taken for objects are addresses that are then followed. So no pickle gets a
    dtype: of a state, only the byte order is read.
    """

    __slots__ = ("_dtype",)

    def __init__(self, code: Any, *flags: Any) -> None:
        dtype = np.dtype(code) if isinstance(code, str) else None
        if dtype is None or dtype.kind not in _KINDS or dtype.metadata:
            raise RefusedPickleError(f"arrays of the type {code!r} are not read")
        self._dtype = dtype

    def __setstate__(self, state: Any) -> None:
        _, order, *structure = state[:5]
        if order not in ("<", ">", "|", "=") or any(structure):
            raise RefusedPickleError(f"an array's type has the state {state!r}")
        self._dtype = self._dtype.newbyteorder(order)

    @staticmethod
    def dtype(kind: Any) -> np.dtype:
        """The dtype that a pickle means."""
        if not isinstance(kind, PickledKind):
            raise RefusedPickleError(f"arrays of the type {kind!r} are not read")
        return kind._dtype


class PickledArray(np.ndarray):
    """An array that checks its state; ``np.asarray`` makes it a plain one."""

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, in_columns, content = state
        if self.shape != (0,) or self.dtype != np.int8:
            # Its memory would be freed, which parts of it may share.
            raise RefusedPickleError("an array is filled twice")
        dtype = PickledKind.dtype(kind)
        content = _checked(content, dtype, shape)
        native: Any = (1, shape, dtype, bool(in_columns), content)
        super().__setstate__(native)


def plain_array(*args: Any) -> None:
    """Stands in for ``numpy.ndarray``, which would take any bytes for objects."""
    raise RefusedPickleError("arrays are only made by numpy's _reconstruct")


def empty_array(kind: Any, ndarray: Any) -> PickledArray:
    """What NumPy's ``_reconstruct`` makes, for a state to fill.

    Args:
        kind: The class that the pickle names.
        ndarray: What a pickle gets for ``numpy.ndarray``, the only one that is read.
    """
    if kind is not ndarray:
        raise RefusedPickleError(f"arrays of the type {kind!r} are not read")
    return PickledArray((0,), np.int8)


def scalar(kind: Any, content: Any) -> Any:
    """What NumPy's ``scalar`` makes, of numbers and text only."""
    dtype = PickledKind.dtype(kind)
    if dtype.kind == "O":
        raise RefusedPickleError("scalars of the type 'O' are not read")
    return np.ndarray((), dtype, _checked(content, dtype, ()))[()]


def array_from_buffer(content: Any, kind: Any, shape: Any, order: Any) -> np.ndarray:
    """What NumPy's ``_frombuffer`` makes, of numbers and text only."""
    dtype = PickledKind.dtype(kind)
    if dtype.kind == "O":
        raise RefusedPickleError("objects are not read from a buffer")
    return np.ndarray(shape, dtype, _checked(content, dtype, shape), order=order)


def _checked(content: Any, dtype: np.dtype, shape: Any) -> Any:
    """The content of an array: a list of objects, or the bytes of all else."""
    count = math.prod(shape)
    if dtype.kind == "O":
        if type(content) is not list or len(content) != count:
            raise RefusedPickleError(
                f"an array of {count} objects is not filled by a list of as many"
            )
        return content
    if isinstance(content, str):  # bytes of Python 2
        content = content.encode("latin-1")
    if not isinstance(content, (bytes, bytearray)):
        raise RefusedPickleError(f"an array is filled by {type(content).__name__}")
    if len(content) != count * dtype.itemsize:
        raise ValueError(
            f"an array of the shape {shape} and the type {dtype} has {len(content)} "
            f"bytes, expected {count * dtype.itemsize}"
        )
    return bytes(content)
