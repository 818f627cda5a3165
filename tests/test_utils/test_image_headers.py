"""Sizes are read from headers, and images too large are refused undecoded."""

import contextlib
import io
import tracemalloc

import cv2
import pytest
from PIL import Image

from mmpar.datasets.doctor.images import inspect
from mmpar.datasets.transforms import LoadPersonImage
from mmpar.utils.image_headers import image_size, upright_size

EXIF = Image.Exif()
EXIF[0x0112] = 6  # a quarter turn
KINDS = {
    "jpg": dict(format="JPEG"),
    "progressive": dict(format="JPEG", progressive=True),
    "exif": dict(format="JPEG", exif=EXIF),
    "comment": dict(format="JPEG", comment=b"\xff\xc0" * 9),
    "png": dict(format="PNG"),
    "bmp": dict(format="BMP"),
    "gif": dict(format="GIF"),
    "webp": dict(format="WEBP"),
    "tiff": dict(format="TIFF"),
}


def file_of(kind):
    file = io.BytesIO()
    Image.new("RGB", (17, 31), (200, 30, 30)).save(file, **KINDS[kind])
    return file.getvalue()


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_the_size_is_that_of_pillow_and_limits_decoding(tmp_path, monkeypatch, kind):
    content = file_of(kind)
    assert image_size(content) == Image.open(io.BytesIO(content)).size == (17, 31)
    path = tmp_path / "image"
    path.write_bytes(content)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 17 * 31)
    # OpenCV as packaged here reads no GIF in some versions.
    if kind != "gif":
        image = LoadPersonImage().transform(dict(img_path=str(path)))["img"]
        assert image.shape[0] * image.shape[1] == 17 * 31
    for limit in (17 * 31 - 1, 100):  # Pillow itself refuses twice as many
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with pytest.raises(ValueError, match=r"image \(.*pixels; at most"):
            LoadPersonImage().transform(dict(img_path=str(path)))
        assert inspect(str(path)).fault == "too large"


def test_what_opencv_alone_can_read_is_not_decoded(tmp_path):
    """Its size is not known beforehand."""
    path = tmp_path / "image.hdr"
    row = b"\2\2\0\x0a" + b"\x8a\1" * 4
    path.write_bytes(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 9 +X 10\n" + row * 9)
    assert cv2.imread(str(path)).shape == (9, 10, 3)
    with pytest.raises(ValueError, match=r"image\.hdr \(.*is not a readable image"):
        LoadPersonImage().transform(dict(img_path=str(path)))
    assert inspect(str(path)).fault == "unreadable"


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 5, 9, 20, 24])
@pytest.mark.parametrize("kind", ["jpg", "png", "bmp"])
def test_half_a_header_has_no_size(kind, cut):
    content = file_of(kind)[:cut]
    size = image_size(content)
    assert size == (0, 0) or (kind != "jpg" and size == (17, 31))


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_upright_size_is_that_of_the_image_as_it_is_loaded(
    tmp_path, orientation, name
):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (30, 80)).save(tmp_path / name, exif=exif)
    loaded = LoadPersonImage()(dict(img_path=str(tmp_path / name)))
    assert upright_size(tmp_path / name) == loaded["img_shape"][::-1]


def test_the_size_of_a_png_is_found_without_decoding_it(tmp_path, monkeypatch):
    Image.new("RGB", (30, 80)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image.Image, "load", pytest.fail)
    assert upright_size(tmp_path / "a.png") == (30, 80)


def test_what_is_not_an_image_is_named(tmp_path):
    (tmp_path / "a.jpg").write_text("no")
    with pytest.raises(ValueError, match=r"a\.jpg is not a readable image"):
        upright_size(tmp_path / "a.jpg")


def test_an_image_of_broken_parts_is_named(tmp_path):
    file = tmp_path / "x.png"
    Image.new("RGB", (4, 4)).save(file)
    content = file.read_bytes()
    for broken in (content[:20], content[:17] + b"\7" + content[18:]):
        file.write_bytes(broken)
        with pytest.raises(ValueError, match=r"x\.png is not a readable image"):
            upright_size(file)
    with pytest.raises(FileNotFoundError):
        upright_size(tmp_path / "y.png")


def test_a_length_that_a_broken_png_gives_is_not_allocated(tmp_path):
    file = tmp_path / "a.png"
    Image.new("RGB", (40, 80)).save(file)
    content = file.read_bytes()
    at = content.index(b"IDAT") - 4
    file.write_bytes(content[:at] + b"\x7f\xff\xff\xff" + content[at + 4 :])
    tracemalloc.start()
    try:
        with contextlib.suppress(ValueError):
            upright_size(file)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000
