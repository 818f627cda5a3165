"""Arrays and scalars of pickles, made without trusting anything that a pickle says.

What a pickle gets instead of NumPy's own functions, for label files and checkpoints.
"""

from __future__ import annotations

import math
from typing import Any, Callable

import numpy as np


class RefusedPickleError(ValueError):
    """A pickle refers to something else than data."""


class Maker:
    """A callable that a pickle can call but not alter."""

    __slots__ = ("_make",)
    _make: Callable[..., Any]

    def __init__(self, make: Callable[..., Any]) -> None:
        object.__setattr__(self, "_make", make)

    def __call__(self, *args: Any) -> Any:
        return self._make(*args)

    def __setattr__(self, name: str, value: Any) -> None:
        raise RefusedPickleError(f"a pickle must not set {name!r} of a function")


def encode(text: str, encoding: str) -> bytes:
    """Stands in for ``_codecs.encode``, with which bytes are written for Python 2."""
    if encoding not in ("latin1", "latin-1"):
        raise RefusedPickleError(f"bytes encoded as {encoding!r} are not read")
    return text.encode("latin-1")


def no_bytes() -> bytes:
    """Stands in for ``bytes``, with which Python 3 writes an empty array's content."""
    return b""


class PickledKind:
    """Stands in for ``numpy.dtype``, whose state could call numbers objects.

    Numbers taken for objects are addresses that are then followed. So no pickle gets a
    dtype: of a state, only the byte order is read.
    """

    __slots__ = ("_dtype",)

    kinds = "biufcSUO"
    """Those that are read, as ``numpy.dtype.kind`` names them."""

    def __init__(self, code: Any, *flags: Any) -> None:
        dtype = np.dtype(code) if isinstance(code, str) else None
        if dtype is None or dtype.kind not in self.kinds or dtype.metadata:
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


class PickledNumberKind(PickledKind):
    """Of numbers only: checkpoints hold no other arrays."""

    __slots__ = ()
    kinds = "biuf"


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


NDARRAY = Maker(plain_array)
"""What a pickle gets for ``numpy.ndarray``."""


def empty_array(kind: Any, shape: Any, code: Any) -> PickledArray:
    """What NumPy's ``_reconstruct`` makes, for a state to fill.

    Args:
        kind: The class that the pickle names; only ``NDARRAY`` is read.
        shape: Of no account, the state brings its own.
        code: As ``shape``.
    """
    if kind is not NDARRAY:
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
