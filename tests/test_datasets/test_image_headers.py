"""Sizes are read from headers, and images too large are refused undecoded."""

import io

import pytest
from PIL import Image

from mmpar.datasets.doctor.pictures import inspect
from mmpar.datasets.image_headers import image_size
from mmpar.datasets.transforms import LoadPersonImage

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


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 5, 9, 20, 24])
@pytest.mark.parametrize("kind", ["jpg", "png", "bmp"])
def test_half_a_header_has_no_size(kind, cut):
    content = file_of(kind)[:cut]
    size = image_size(content)
    assert size == (0, 0) or (kind != "jpg" and size == (17, 31))
