"""Contact sheets: many small pictures in rows, each with lines of text below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from mmpar.visualization.fonts import TextFont, drawable

_MARGIN, _FONT_SIZE = 4, 9
MIN_CELL_WIDTH = 112

Color = str


@dataclass(frozen=True)
class Tile:
    """One picture of a sheet; places are pixels of ``image``, 0 its left or top edge.

    Args:
        image: uint8, (H, W, 3), RGB.
        texts: Paragraphs below the picture, each with its colour.
        boxes: xyxy, each with its colour.
        keypoints: x, y, each with its colour.
    """

    image: np.ndarray
    texts: Sequence[tuple[str, Color]] = ()
    boxes: Sequence[tuple[Sequence[float], Color]] = ()
    keypoints: Sequence[tuple[Sequence[float], Color]] = ()


def contact_sheet(tiles: Sequence[Tile], columns: int, scale: int = 1) -> Image.Image:
    """Draw tiles in rows from the left.

    Args:
        tiles: One or more, of any sizes.
        columns: Tiles a row.
        scale: Each pixel of a picture becomes ``scale`` x ``scale`` pixels.
    """
    font = _font(tiles)
    cell_width, cell_height = _cell_size(tiles, scale, font)
    columns = min(columns, len(tiles))
    size = (columns * cell_width, -(-len(tiles) // columns) * cell_height)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    picture_height = max(tile.image.shape[0] for tile in tiles) * scale
    for i, tile in enumerate(tiles):
        left, top = (i % columns) * cell_width, (i // columns) * cell_height + _MARGIN
        picture = _picture(tile, scale)
        sheet.paste(picture, (left + (cell_width - picture.width) // 2, top))
        top += picture_height + _MARGIN
        for line, color in _lines(tile, cell_width - 2 * _MARGIN, font):
            font.draw(draw, left + _MARGIN, top, line, color)
            top += font.line_height
    return sheet


def _font(tiles: Sequence[Tile]) -> TextFont:
    return TextFont((text for tile in tiles for text, _ in tile.texts), _FONT_SIZE)


def _cell_size(tiles: Sequence[Tile], scale: int, font: TextFont) -> tuple[int, int]:
    height, width = np.max([tile.image.shape[:2] for tile in tiles], axis=0) * scale
    inner = max(int(width), MIN_CELL_WIDTH)
    text = max(len(_lines(tile, inner, font)) for tile in tiles) * font.line_height
    return inner + 2 * _MARGIN, int(height) + text + 3 * _MARGIN


def _picture(tile: Tile, scale: int) -> Image.Image:
    height, width = tile.image.shape[:2]
    picture = Image.fromarray(tile.image).resize(
        (width * scale, height * scale), Image.Resampling.NEAREST
    )
    draw = ImageDraw.Draw(picture)
    for box, color in tile.boxes:
        x0, y0, x1, y1 = (float(value) * scale for value in box)
        # The last pixel of a box lies before its right and lower edge.
        draw.rectangle((x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)), outline=color)
    radius = max(2, scale)
    for (x, y), color in tile.keypoints:
        x, y = x * scale, y * scale
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=color)
    return picture


def _lines(tile: Tile, width: int, font: TextFont) -> list[tuple[str, Color]]:
    """The paragraphs broken into lines of at most ``width`` pixels."""
    lines = []
    for text, color in tile.texts:
        lines += [(line, color) for line in _wrapped(drawable(text), width, font)]
    return lines


def _wrapped(text: str, width: int, font: TextFont) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if lines[-1] and font.length(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
        while font.length(lines[-1]) > width and len(lines[-1]) > 1:
            lines[-1:] = _split(lines[-1], width, font)
    return lines


def _split(word: str, width: int, font: TextFont) -> tuple[str, str]:
    """A word too long for a line, and what does not fit of it."""
    fits = len(word) - 1
    while fits > 1 and font.length(word[:fits]) > width:
        fits -= 1
    return word[:fits], word[fits:]
