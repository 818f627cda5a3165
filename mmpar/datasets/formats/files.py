"""Reading annotation files through MMEngine's backends, with errors that help."""

from __future__ import annotations

import os
import reprlib
from typing import Any

from mmengine import fileio

from mmpar.utils.file_kinds import HEAD_BYTES, describe_stand_in, describe_unreadable

_NAMES_SHOWN = 8
_SHORT = reprlib.Repr()
_SHORT.maxlist = _SHORT.maxdict = 20
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80


def read_bytes(path: str) -> bytes:
    """The bytes of an annotation file, local or remote.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: In its place is an empty file, a web page, or a pointer to it.
    """
    try:
        content = fileio.get(path)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise FileNotFoundError(
            f"no annotation file {path!r}; check data_root and ann_file"
            f"{_others_beside(path)}"
        ) from error
    stand_in = describe_stand_in(content[:HEAD_BYTES], len(content))
    if stand_in is not None:
        raise ValueError(f"{path} {stand_in}")
    return content


def unreadable(path: str, content: bytes, kind: str, error: Exception) -> ValueError:
    """The error of a file whose bytes a reader has refused.

    Args:
        path: The file.
        content: Its bytes.
        kind: What was expected: "pickle".
        error: What the reader said.
    """
    found = describe_unreadable(content[:HEAD_BYTES], len(content))
    fault = f"not a whole {kind}: {type(error).__name__}: {error}"
    if found is not None and not found.startswith(f"is a {kind}"):
        return ValueError(f"{path} {found}, {fault}; is it the right file?")
    return ValueError(
        f"{path} ({len(content)} bytes) is {fault}; copy or download it again"
    )


def _others_beside(path: str) -> str:
    """Files of that ending in the folder, which may have been meant."""
    folder, name = os.path.split(path)
    ending = os.path.splitext(name)[1].lower()
    try:
        there = sorted(os.listdir(folder or "."))
    except OSError:
        return ""
    others = [other for other in there if ending and other.lower().endswith(ending)]
    return f"; beside it: {others[:_NAMES_SHOWN]}" if others else ""


def read_utf8(path: str) -> str:
    """The text of an annotation file, without a byte order mark.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not UTF-8 or has a NUL, or see :func:`read_bytes`.
    """
    return _decoded(path, read_bytes(path))


def read_utf8_bytes(path: str) -> bytes:
    """As :func:`read_utf8`, but encoded: for lists too long to have them twice."""
    content = read_bytes(path)
    if content.isascii() and b"\0" not in content:
        return content
    return _decoded(path, content).encode()


def _decoded(path: str, content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not UTF-8 text: {error}; save it as UTF-8"
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ValueError(
            f"{path}, line {line} has a NUL, which no text has; save it as UTF-8, or "
            "copy or download it again"
        )
    return text


def shown(value: Any) -> str:
    """What was found in a file, for an error: its ``repr``, short and not deep."""
    return _SHORT.repr(value)


def portable_path(path: str) -> str:
    """A listed picture path with the slashes that every system understands."""
    return path.strip().replace("\\", "/")


def same_picture(one: str, other: str) -> bool:
    """Whether two portable paths may mean one picture, seen from different folders.

    They do when they are equal or one is the end of the other, by whole folders:
    ``images/0001.jpg`` and ``/data/set/images/0001.jpg``.
    """
    return f"/{one}".endswith(f"/{other}") or f"/{other}".endswith(f"/{one}")
