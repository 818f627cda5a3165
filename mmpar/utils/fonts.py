"""Fonts that have the characters of a text: DejaVu Sans first, then the system's."""

from __future__ import annotations

import os
import unicodedata
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from itertools import groupby

from PIL import ImageDraw, ImageFont

try:
    import matplotlib as mpl
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    _DEJAVU = os.path.join(mpl.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
except ImportError:  # where a model is only run, Pillow's own font has to do
    _DEJAVU = ""
"""Comes with matplotlib. Has Latin, Greek, Cyrillic, Arabic, Hebrew, no Chinese."""
_SHOW_NOTHING = ("lastresort", "adobeblank", "adobenotdef")
"""Families that claim every character and draw none."""


def font_files(texts: Iterable[str]) -> list[str]:
    """The fonts to draw texts with, best first; each character is in one of them.

    What DejaVu Sans lacks is looked for in the fonts of the system, as fontconfig and
    the usual folders list them. A warning names characters that no font has; they are
    drawn as boxes.
    """
    wanted = {c for text in texts for c in drawable(text) if _has_a_glyph(c)}
    files = [_DEJAVU]
    lacking = wanted - _characters(_DEJAVU)
    others = _system_fonts() if lacking else []
    while lacking:
        best = max(others, key=lambda file: _rank(file, lacking), default=_DEJAVU)
        if not lacking & _characters(best):
            _warn_of(frozenset(lacking))
            break
        files.append(best)
        lacking -= _characters(best)
    return files


def font_families(texts: Iterable[str]) -> list[str]:
    """The same for matplotlib, as the value of its ``font.family``."""
    families = []
    for file in font_files(texts):
        if file != _DEJAVU:
            font_manager.fontManager.addfont(file)
        families.append(FT2Font(file).family_name)
    return families


@contextmanager
def matplotlib_fonts(texts: Iterable[str]) -> Iterator[None]:
    """Have matplotlib create and draw figures with these texts in a block."""
    families = font_families(texts)
    with mpl.rc_context({"font.family": families}), warnings.catch_warnings():
        # font_families named them all in one warning, with the remedy
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font")
        yield


def drawable(text: str) -> str:
    """The text composed (NFC), U+FFFD for what is no character of any font.

    macOS writes file names decomposed, and Python turns bytes of a name that are not
    UTF-8 into lone surrogates.
    """
    composed = unicodedata.normalize("NFC", text)
    return "".join(
        "\ufffd" if unicodedata.category(c) in ("Cc", "Cs") and not c.isspace() else c
        for c in composed
    )


class TextFont:
    """Draws lines with Pillow, each character in the first of the fonts that has it.

    Args:
        texts: All that will be drawn, so that fonts are sought once.
        size: In pixels.
    """

    def __init__(self, texts: Iterable[str], size: int) -> None:
        files = font_files(texts) if _DEJAVU else []
        self._characters = [_characters(file) for file in files] or [frozenset()]
        self._fonts: list = [ImageFont.truetype(file, size) for file in files] or [
            ImageFont.load_default(size)
        ]
        self._ascent, descent = self._fonts[0].getmetrics()
        self.line_height = self._ascent + descent

    def length(self, line: str) -> float:
        """How wide a line is, in pixels."""
        return sum(font.getlength(run) for font, run in self._runs(line))

    def draw(
        self, draw: ImageDraw.ImageDraw, left: float, top: float, line: str, color: str
    ) -> None:
        """Draw a line; fonts of other heights share its base line."""
        for font, run in self._runs(line):
            place = (left, top + self._ascent)
            draw.text(place, run, fill=color, font=font, anchor="ls")
            left += font.getlength(run)

    def _runs(self, line: str) -> Iterator[tuple[ImageFont.FreeTypeFont, str]]:
        """Neighbours of one font together, as their shapes may depend on each other."""
        text = drawable(line)
        used, numbers = 0, []
        for character in text:
            stays = not _has_a_glyph(character) or unicodedata.combining(character)
            if not stays or character not in self._characters[used]:
                used = self._number_of(character)
            numbers.append(used)
        for number, pairs in groupby(zip(numbers, text), key=lambda pair: pair[0]):
            yield self._fonts[number], "".join(character for _, character in pairs)

    def _number_of(self, character: str) -> int:
        having = (i for i, known in enumerate(self._characters) if character in known)
        return next(having, 0)


@cache
def _characters(file: str) -> frozenset[str]:
    return frozenset(map(chr, FT2Font(file).get_charmap()))


@lru_cache(maxsize=1)
def _system_fonts() -> list[str]:
    """Files of fonts of any size that can be opened, sorted."""
    files = []
    for file in sorted(font_manager.findSystemFonts()):
        try:
            font = FT2Font(file)
        except (OSError, RuntimeError):  # broken, or of a kind FreeType lacks
            continue
        family = font.family_name.lower().lstrip(".").replace(" ", "")
        if font.scalable and not family.startswith(_SHOW_NOTHING):
            files.append(file)
    return files


def _rank(file: str, lacking: set[str]) -> tuple[int, bool, bool]:
    """Most of the characters first, then upright and regular, then without serifs."""
    font = FT2Font(file)
    regular = font.style_name.lower() in ("regular", "book", "roman", "medium")
    return len(lacking & _characters(file)), regular, "sans" in font.family_name.lower()


def _has_a_glyph(character: str) -> bool:
    """Whether it is more than a space, a joiner or a mark of direction."""
    selects_a_variant = "\ufe00" <= character <= "\ufe0f"
    nothing = ("Zs", "Zl", "Zp", "Cc", "Cf")
    return unicodedata.category(character) not in nothing and not selects_a_variant


@cache  # once: a font is sought for every image
def _warn_of(characters: frozenset[str]) -> None:
    named = ", ".join(f"{c} (U+{ord(c):04X})" for c in sorted(characters)[:8])
    more = f" and {len(characters) - 8} more" if len(characters) > 8 else ""
    warnings.warn(
        f"no font of this machine has the characters {named}{more}: they are drawn as "
        "boxes. Install one that has them, such as Debian's fonts-noto-cjk for "
        "Chinese, Japanese and Korean",
        stacklevel=2,
    )
