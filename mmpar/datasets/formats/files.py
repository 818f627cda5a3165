"""Reading annotation files through MMEngine's backends, with errors that help."""

from __future__ import annotations

import functools
import json
import math
import os
import re
import reprlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from mmengine import fileio
from mmengine.logging import print_log

from mmpar.structures.plain_data import LONGEST_NUMBER, whole_number
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
            f"{path}, line {line} has a NUL, which text cannot have; save it as UTF-8, "
            "or copy or download it again"
        )
    return text


def shown(value: Any) -> str:
    """What was found in a file, for an error: its ``repr``, short and not deep."""
    return _SHORT.repr(value)


def shown_path(path: str, longest: int = 500) -> str:
    """A listed path for an error, whole unless no system allows one of its length."""
    return path if len(path) <= longest else f"{path[:longest]}..."


@functools.cache
def log_once(message: str) -> None:
    """Log what is said of a file once, however many datasets read it."""
    print_log(message, "current")


def portable_path(path: str) -> str:
    """A listed image path with the slashes that every system understands."""
    return path.strip().replace("\\", "/")


def same_image(one: str, other: str) -> bool:
    """Whether two portable paths may mean one image, seen from different folders.

    They do when they are equal or one is the end of the other, by whole folders:
    ``images/0001.jpg`` and ``/data/set/images/0001.jpg``.
    """
    return f"/{one}".endswith(f"/{other}") or f"/{other}".endswith(f"/{one}")


def match_images(found: Iterable[str], listed: Sequence[str]) -> np.ndarray:
    """Which listed image each path means, seen from the folder of the list or above.

    Args:
        found: M paths.
        listed: Paths of a list, each once.

    Returns:
        Positions in ``listed``, int64, (M,); -1 for none.

    >>> match_images(["data/a/1.png", "1.png"], ["a/1.png", "b/1.png"]).tolist()
    [0, -1]
    """
    place = {portable_path(path): i for i, path in enumerate(listed)}

    def position(path: str) -> int:
        parts = portable_path(path).split("/")
        ends = ("/".join(parts[i:]) for i in range(len(parts)))
        return next((place[end] for end in ends if end in place), -1)

    return np.array([position(path) for path in found], np.int64)


_DIGITS_ALIKE = bytes.maketrans(b"123456789", b"0" * 9)
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")

Number = (int, float)
_CALLED: dict[Any, str] = {
    dict: "an object",
    list: "a list",
    str: "text",
    int: "a whole number",
    Number: "a number",
    (int, float, str): "a number or text",
}


def read_json(path: str) -> Any:
    """What a JSON file holds.

    Its whole numbers fit into 64 bits and its texts are Unicode that a file's name may
    hold, whatever reads them further.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not JSON, or holds other numbers or texts.
    """
    return parse_json(read_utf8(path), path)


def parse_json(text: str, where: str) -> Any:
    """What a JSON text holds, as :func:`read_json`; ``where`` is for errors."""
    remedy = "save, copy or download it again"
    try:
        content = _CAREFUL.decode(text) if _has_long_number(text) else json.loads(text)
    except RecursionError as error:
        raise ValueError(
            f"{where} is not an annotation: its JSON is nested too deeply; {remedy}"
        ) from error
    except ValueError as error:
        raise ValueError(f"{where} is not JSON: {error}; {remedy}") from error
    if not _is_unicode(content, text):
        raise ValueError(
            f"{where}: a text has \\u0000 or half a character, never part of a name; "
            f"{remedy}"
        )
    return content


def entry(found: Any, name: str, kind: Any, where: str) -> Any:
    """An entry of an object.

    Args:
        found: The object, of which nothing is known.
        name: Of the entry.
        kind: ``dict``, ``list``, ``str``, ``Number``, or a tuple, for ``isinstance``.
        where: The file and the place in it, for errors.

    Raises:
        ValueError: It is not an object, has no such entry, or one of another kind.
    """
    value = found.get(name) if isinstance(found, dict) else None
    if isinstance(value, kind):
        return value
    expected = f"expected an object with {name!r}, {_CALLED[kind]}"
    if not isinstance(found, dict) or name not in found:
        raise ValueError(f"{where}: {expected}; found {shown(found)}")
    raise ValueError(f"{where}: {expected}; found {shown(value)} there")


def texts(found: Any, name: str, where: str) -> list[str]:
    """An entry that is a list of texts; errors as in :func:`entry`."""
    values = entry(found, name, list, where)
    for value in values:
        if not isinstance(value, str):
            raise ValueError(
                f"{where}: {name!r} holds {shown(value)} where text is expected"
            )
    return values


def numbers(found: Any, name: str, count: int, where: str) -> list[float]:
    """An entry that is a list of ``count`` finite numbers; true is 1, and false 0.

    Raises:
        ValueError: As in :func:`entry`, or another count, or not all are numbers.
    """
    values = entry(found, name, list, where)
    right = all(isinstance(value, Number) and math.isfinite(value) for value in values)
    if len(values) != count or not right:
        raise ValueError(
            f"{where}: {name!r} is {shown(values)}, expected {count} numbers"
        )
    return values


_CAREFUL = json.JSONDecoder(parse_int=whole_number)
"""Takes twice as long: only for texts that may have such numbers."""


def _has_long_number(text: str) -> bool:
    """Whether there may be one; a pattern would take as long as the parse."""
    alike = text.encode("utf-8", "surrogatepass").translate(_DIGITS_ALIKE)
    return b"0" * (LONGEST_NUMBER + 1) in alike


def _is_unicode(content: Any, text: str) -> bool:
    """Whether no text has a NUL or half a character, but bytes of a file's name."""
    if "\\u0000" in text and _NUL.search(text):
        return False
    if not _ESCAPED_SURROGATE.search(text):
        return True
    try:
        written = json.dumps(content, ensure_ascii=False)
        return bool(written.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        return False
