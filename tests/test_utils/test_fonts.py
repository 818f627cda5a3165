"""Text is drawn with fonts that have its characters, or a warning names them."""

from types import SimpleNamespace

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib.font_manager import fontManager
from PIL import Image

from mmpar.utils import fonts
from mmpar.visualization import par_visualizer
from mmpar.visualization.scale_prior import draw_scale_prior

HAT = "帽"
FAMILY = "One Glyph"


def write_font(path, characters, family=FAMILY):
    """A font whose every character is a black square of the em's size."""
    pen = TTGlyphPen(None)
    for place in ((0, 0), (0, 1000), (1000, 1000), (1000, 0)):
        (pen.lineTo if place != (0, 0) else pen.moveTo)(place)
    pen.closePath()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "square"])
    builder.setupCharacterMap({ord(c): "square" for c in characters})
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "square": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "square": (1000, 0)})
    builder.setupHorizontalHeader(ascent=1000, descent=0)
    builder.setupNameTable(dict(familyName=family, styleName="Regular"))
    builder.setupOS2(sTypoAscender=1000)
    builder.setupPost()
    builder.save(path)
    return str(path)


@pytest.fixture
def system(monkeypatch):
    """Takes the place of the fonts of the system; as a rule there are none."""

    def put(*files):
        monkeypatch.setattr(
            fonts.font_manager, "findSystemFonts", lambda: list(map(str, files))
        )
        fonts._system_fonts.cache_clear()
        fonts._warn_of.cache_clear()

    put()
    known = list(fontManager.ttflist)
    yield put
    fonts._system_fonts.cache_clear()
    fontManager.ttflist[:] = known


@pytest.fixture
def warned(monkeypatch):
    said = []
    only_here = SimpleNamespace(**vars(fonts.warnings))
    only_here.warn = lambda text, **kwargs: said.append(text)
    monkeypatch.setattr(fonts, "warnings", only_here)
    return said


def ink(text):
    """The pixels of a text."""
    return par_visualizer._text_block([[(text, "black")]]) < 128


@pytest.mark.parametrize("text", ["äöüßéñ", "Шапка", "Γυαλιά", "Čšž", "Őű"])
def test_letters_of_europe_are_drawn_as_themselves_without_a_warning(
    system, warned, text
):
    drawn = [ink(letter) for letter in text]
    box = ink("\U000f0000")  # of private use: no font has it
    assert len(warned) == 1
    assert "U+F0000" in warned[0]
    for one in drawn:
        assert one.any()
        assert one.shape != box.shape or (one != box).any()


def test_a_decomposed_name_is_drawn_as_the_composed_one(system, warned):
    assert (ink("Mu\u0308tze") == ink("M\u00fctze")).all()
    assert warned == []


def test_a_system_font_fills_the_gap_and_the_rest_stays_as_it_was(
    system, warned, tmp_path
):
    file = write_font(tmp_path / "hat.ttf", HAT + "a")
    system(tmp_path / "missing.ttf", file)
    square = ink(HAT)[..., 0]
    assert warned == []
    assert square.sum() >= 8 * 8
    rows, columns = np.nonzero(square)
    assert square[rows.min() : rows.max(), columns.min() : columns.max()].all()
    plain, mixed = ink("abc"), ink("abc" + HAT)
    width = np.nonzero(plain)[1].max() + 1
    assert (plain[:, :width] == mixed[:, :width]).all()
    assert mixed.sum() - plain.sum() >= 8 * 8


def test_characters_that_no_font_has_are_named_and_drawn_as_boxes(
    system, warned, tmp_path
):
    system(write_font(tmp_path / "hat.ttf", HAT))
    assert ink(f"{HAT}子").any()
    (text,) = warned
    assert "子 (U+5B50)" in text
    assert HAT not in text
    assert "fonts-noto-cjk" in text


def test_fonts_that_claim_all_characters_and_draw_none_are_not_taken(
    system, warned, tmp_path
):
    system(write_font(tmp_path / "last.ttf", HAT, family=".LastResort"))
    assert len(fonts.font_files([HAT])) == 1
    assert HAT in warned[0]


@pytest.mark.parametrize("text", ["a\udcffb", "a\x00b", "a\x7fb"])
def test_bytes_that_are_no_characters_become_the_replacement_character(text, system):
    assert fonts.drawable(text) == "a\ufffdb"
    assert ink(text).any()


@pytest.mark.filterwarnings("error:Glyph")  # ours names the remedy as well
def test_matplotlib_draws_with_the_same_fonts(system, warned, tmp_path):
    system(write_font(tmp_path / "hat.ttf", HAT))
    images = []
    for name in (HAT, "子"):
        image = draw_scale_prior([name], np.zeros((1, 2)), [0])
        images.append(np.asarray(Image.fromarray(image).convert("L")))
    assert len(warned) == 1
    assert "子" in warned[0]
    square, box = (int((image < 60).sum()) for image in images)
    assert square > box + 100
