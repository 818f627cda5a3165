"""What a file is that could not be read as what its name promises."""

from __future__ import annotations

import codecs
import os

HEAD_BYTES = 1024
"""How much of a file the descriptions look at."""

_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_ANNEX_POINTER = b"/annex/objects/"
_HTML = (b"<!doctype html", b"<html", b"<head", b"<body", b"<title", b"<script")
_MAGIC = (
    (b"PK\x03\x04", "is a zip archive"),
    (b"PK\x05\x06", "is a zip archive without a member"),
    (b"\x1f\x8b", "is a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive"),
    (b"Rar!\x1a\x07", "is a RAR archive"),
    (b"BZh", "is a bzip2 archive"),
    (b"\xfd7zXZ\x00", "is an xz archive"),
    (b"\x28\xb5\x2f\xfd", "is a Zstandard archive"),
    (b"\x89HDF\r\n\x1a\n", "is an HDF5 file"),
    (b"MATLAB 7.3", "is a MATLAB file of version 7.3"),
    (b"MATLAB 5.0", "is a MATLAB file"),
    (b"\x93NUMPY", "is a NumPy array (.npy)"),
    (b"SQLite format 3\x00", "is an SQLite database"),
    (b"%PDF-", "is a PDF document"),
    (b"\xff\xd8\xff", "is a JPEG image"),
    (b"\x89PNG\r\n\x1a\n", "is a PNG image"),
    (b"GIF8", "is a GIF image"),
    (b"\x80\x02", "is a pickle"),
    (b"\x80\x03", "is a pickle"),
    (b"\x80\x04", "is a pickle"),
    (b"\x80\x05", "is a pickle"),
)
_TAR_MAGIC, _TAR_MAGIC_AT = b"ustar", 257
_ENOUGH_ZEROS = 64


def describe_stand_in(head: bytes, size: int) -> str | None:
    """What stands where a data file should: no data file of any format begins so.

    Args:
        head: The first bytes, ``HEAD_BYTES`` or all of them.
        size: Bytes of the whole file.

    Returns:
        The end of a sentence that begins with the file's name; None for what may be
        data.

    Examples:
        >>> describe_stand_in(b"<!DOCTYPE html><html>", 9000)
        'is a web page (HTML), not the file itself: download it again, signed in where \
the site asks for it'
        >>> describe_stand_in(b"images/1.jpg 0 1", 16)
    """
    if size == 0:
        return "is empty: copy or download it again"
    text = _without_mark(head[:HEAD_BYTES]).lstrip()
    if text.startswith(_LFS_POINTER):
        return "is a Git LFS pointer, not the file itself: run git lfs pull"
    if size <= HEAD_BYTES and b"\n" not in text.rstrip() and _ANNEX_POINTER in text:
        return "is a git-annex pointer, not the file itself: run git annex get"
    if _is_html(text.lower()):
        return (
            "is a web page (HTML), not the file itself: download it again, signed in "
            "where the site asks for it"
        )
    if text.startswith(b"<?xml"):
        return (
            "is an XML document, such as a server's error message, not the file "
            "itself: download it again"
        )
    return None


def describe_unreadable(head: bytes, size: int) -> str | None:
    """What a file is that its reader has failed to read.

    As :func:`describe_stand_in`, which it asks first, but it also names what other
    formats have: ask it only when reading has failed, as it calls a list plain text.

    Examples:
        >>> describe_unreadable(b"PK\\x03\\x04...", 4096)
        'is a zip archive'
        >>> describe_unreadable(b"Not Found", 9)
        "is plain text that begins with 'Not Found'"
    """
    stand_in = describe_stand_in(head, size)
    if stand_in is not None:
        return stand_in
    head = head[:HEAD_BYTES]
    for magic, description in _MAGIC:
        if head.startswith(magic):
            return description
    if head[_TAR_MAGIC_AT:].startswith(_TAR_MAGIC):
        return "is a tar archive"
    if len(head) >= _ENOUGH_ZEROS and not any(head):
        return "begins with zero bytes only, as a download that broke off"
    text = _printable(head)
    if text is not None:
        return f"is plain text that begins with {text.strip()[:60]!r}"
    return None


def describe_unreadable_file(path: str) -> str | None:
    """:func:`describe_unreadable` of a local file; None where there is no file."""
    try:
        with open(path, "rb") as file:
            return describe_unreadable(file.read(HEAD_BYTES), os.path.getsize(path))
    except OSError:
        return None


def _without_mark(head: bytes) -> bytes:
    return head[3:] if head.startswith(b"\xef\xbb\xbf") else head


def _is_html(text: bytes) -> bool:
    if text.startswith(_HTML):
        return True
    # After a comment, or XHTML's <?xml ...?>.
    begins_so = text.startswith((b"<!--", b"<?xml"))
    return begins_so and any(tag in text for tag in _HTML[:2])


def _printable(head: bytes) -> str | None:
    """The head as text, if it is some; a character cut off at its end is let go."""
    text = codecs.utf_8_decode(head, "replace", False)[0].lstrip("\ufeff")
    is_text = all(c.isprintable() or c in "\t\r\n" for c in text)
    return text if is_text and "\ufffd" not in text else None
