"""Reading annotation files through MMEngine's backends, with errors that help."""

from __future__ import annotations

from mmengine import fileio


def read_bytes(path: str) -> bytes:
    """The bytes of an annotation file, local or remote.

    Raises:
        FileNotFoundError: There is no such file.
    """
    try:
        return fileio.get(path)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise FileNotFoundError(
            f"no annotation file {path!r}; check data_root and ann_file"
        ) from error


def read_utf8(path: str) -> str:
    """The text of an annotation file, without a byte order mark.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not UTF-8.
    """
    return _decoded(path, read_bytes(path))


def read_utf8_bytes(path: str) -> bytes:
    """As :func:`read_utf8`, but encoded: for lists too long to have them twice."""
    content = read_bytes(path)
    return content if content.isascii() else _decoded(path, content).encode()


def _decoded(path: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not UTF-8 text: {error}; save it as UTF-8"
        ) from error


def portable_path(path: str) -> str:
    """A listed picture path with the slashes that every system understands."""
    return path.strip().replace("\\", "/")


def same_picture(one: str, other: str) -> bool:
    """Whether two portable paths may mean one picture, seen from different folders.

    They do when they are equal or one is the end of the other, by whole folders:
    ``images/0001.jpg`` and ``/data/set/images/0001.jpg``.
    """
    return f"/{one}".endswith(f"/{other}") or f"/{other}".endswith(f"/{one}")
