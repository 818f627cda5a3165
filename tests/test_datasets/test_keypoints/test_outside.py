"""Keypoints outside the picture are missing; sizes are those of loaded pictures."""

import contextlib
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from mmpar.datasets import LoadPersonImage
from mmpar.datasets.keypoints import drop_outside, picture_size

ORIENTATION = 0x0112


def test_what_lies_outside_is_dropped_and_counted():
    values = np.zeros((2, 17, 3), np.float32)
    values[:, 0] = (29.9, 0, 0.5)  # inside the first only
    values[:, 1] = (5, 80, 0.5)  # below the first
    values[:, 2] = (-0.1, 5, 0.5)
    values[0, 3] = (500, 500, 0)  # missing already
    assert drop_outside(values, np.array([(30, 80), (29, 90)])) == 4
    assert values[..., 2].nonzero()[0].tolist() == [0, 1]
    np.testing.assert_array_equal(values[0, 0], np.float32((29.9, 0, 0.5)))
    np.testing.assert_array_equal(values[1, 1], np.float32((5, 80, 0.5)))
    assert not values[:, 2].any()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_is_that_of_the_picture_as_it_is_loaded(tmp_path, orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    Image.new("RGB", (30, 80)).save(tmp_path / "a.jpg", exif=exif)
    loaded = LoadPersonImage()(dict(img_path=str(tmp_path / "a.jpg")))
    assert picture_size(tmp_path / "a.jpg") == loaded["img_shape"][::-1]


def test_what_is_no_picture_is_named(tmp_path):
    (tmp_path / "a.jpg").write_text("no")
    with pytest.raises(ValueError, match=r"a\.jpg is no readable picture"):
        picture_size(tmp_path / "a.jpg")


def test_a_picture_of_broken_parts_is_named(tmp_path):
    file = tmp_path / "x.png"
    Image.new("RGB", (4, 4)).save(file)
    content = file.read_bytes()
    for broken in (content[:20], content[:17] + b"\7" + content[18:]):
        file.write_bytes(broken)
        with pytest.raises(ValueError, match=r"x\.png is no readable picture"):
            picture_size(file)
    with pytest.raises(FileNotFoundError):
        picture_size(tmp_path / "y.png")


def test_a_length_that_a_broken_png_gives_is_not_allocated(tmp_path):
    file = tmp_path / "a.png"
    Image.new("RGB", (40, 80)).save(file)
    content = file.read_bytes()
    at = content.index(b"IDAT") - 4
    file.write_bytes(content[:at] + b"\x7f\xff\xff\xff" + content[at + 4 :])
    tracemalloc.start()
    try:
        with contextlib.suppress(ValueError):
            picture_size(file)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000
