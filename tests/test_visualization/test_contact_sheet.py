"""Contact sheets: sizes, places, text that stays in its cell."""

import numpy as np
import pytest

from mmpar.visualization import Tile, contact_sheet

RED, BLUE = (255, 0, 0), (0, 0, 255)


def tile(height=20, width=10, **kwargs):
    return Tile(np.full((height, width, 3), 200, np.uint8), **kwargs)


def colored(sheet, color):
    """Smallest x, smallest y, largest x, largest y of the pixels of a colour."""
    rows, columns = np.nonzero((np.asarray(sheet) == color).all(axis=2))
    return columns.min(), rows.min(), columns.max(), rows.max()


def test_sheet_has_room_for_rows_of_columns_and_the_longest_text():
    tiles = [tile(width=200, texts=[("a", "black")] * n) for n in (1, 3, 2, 0, 1)]
    # Margins of 4 around the picture and below the text, lines of 12.
    assert contact_sheet(tiles, columns=2).size == (2 * 208, 3 * (20 + 36 + 12))
    assert contact_sheet(tiles, columns=9).size == (5 * 208, 20 + 36 + 12)
    assert contact_sheet(tiles, 2, scale=3).size == (2 * 608, 3 * (60 + 36 + 12))


def test_narrow_pictures_stand_in_the_middle_of_a_readable_cell():
    sheet = contact_sheet([tile()], columns=1)
    assert sheet.size == (120, 32)
    assert colored(sheet, (200, 200, 200)) == (55, 4, 64, 23)


@pytest.mark.parametrize("scale", [1, 4])
def test_boxes_outline_their_pixels_at_any_scale(scale):
    boxed = tile(height=30, width=30, boxes=[((3, 5, 9, 8), "red")])
    sheet = contact_sheet([boxed], columns=1, scale=scale)
    left = (sheet.width - 30 * scale) // 2
    assert colored(sheet, RED) == (
        left + 3 * scale,
        4 + 5 * scale,
        left + 9 * scale - 1,
        4 + 8 * scale - 1,
    )


def test_keypoints_are_dots_around_their_place():
    sheet = contact_sheet([tile(keypoints=[((4, 15), "blue")])], columns=1, scale=2)
    x0, y0, x1, y1 = colored(sheet, BLUE)
    left = (sheet.width - 20) // 2
    assert (x0 + x1) / 2 == left + 8
    assert (y0 + y1) / 2 == 4 + 30


def test_text_stays_in_its_cell_and_is_whole():
    words = "UpperBody-Sleeve-Short, " + "W" * 60 + ", Backpack, " + "i" * 80
    tiles = [tile(texts=[(words, "red")]), tile()]
    sheet = np.asarray(contact_sheet(tiles, columns=2))
    ink = (sheet[28:] != 255).any(axis=2)
    assert ink[:, :117].any()
    assert not ink[:, 117:].any()
    one_word_a_line = contact_sheet([tile(texts=[("W" * 60, "red")])], columns=1)
    # Sixty letters of this width need more than four lines of 112 pixels.
    assert one_word_a_line.height >= 32 + 5 * 12
