"""Size and sharpness of crops."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from mmpar.structures import measure_image_quality

PETA = Path(__file__).parents[3] / "shared/data/peta_pictures/peta_160_webp.zip"


def texture(width=80, height=200, seed=0):
    """Stripes, squares and noise: edges of all directions."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(40, 216, (height // 10, width // 10, 3)).astype(np.uint8)
    return Image.fromarray(blocks).resize((width, height), Image.Resampling.NEAREST)


def sharpness(image):
    return measure_image_quality(np.asarray(image)).sharpness


def blurred(image, share):
    """Blurred by a Gaussian whose deviation is a share of the height."""
    return image.filter(ImageFilter.GaussianBlur(share * image.height))


def test_sharpness_falls_with_blur_and_not_with_contrast():
    sharp = texture()
    values = [sharpness(blurred(sharp, share)) for share in (0, 0.01, 0.02, 0.03)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 1.3 * values[1]
    assert values[-1] < 0.15
    faint = sharp.point(lambda value: 100 + value // 8)
    assert sharpness(faint) == pytest.approx(sharpness(sharp), rel=0.05)
    swapped = np.asarray(sharp)[..., ::-1]
    assert sharpness(swapped) == pytest.approx(sharpness(sharp), rel=1e-5)


def test_sharpness_is_of_the_scene_and_not_of_the_pixels():
    small, large = texture(), texture().resize((160, 400), Image.Resampling.NEAREST)
    assert sharpness(large) == pytest.approx(sharpness(small), rel=0.1)


@pytest.mark.parametrize("axis", [0, 1])
def test_a_blur_along_one_axis_counts(axis):
    pixels = np.asarray(texture(), np.float64)
    moved = np.mean([np.roll(pixels, step, axis) for step in range(21)], axis=0)
    assert sharpness(moved.astype(np.uint8)) < 0.5 * sharpness(texture())


def slow_sharpness(image):
    """The definition, difference by difference."""
    grey = Image.fromarray(np.asarray(image).mean(axis=2, dtype=np.float32))
    x = np.asarray(grey.resize((64, 128), Image.Resampling.BILINEAR), np.float64)
    shares = []
    for lines in (x, x.T):
        lost = total = 0.0
        for line in lines:
            last = len(line) - 1
            smooth = [
                sum(line[min(max(k, 0), last)] for k in range(i - 4, i + 5)) / 9
                for i in range(len(line))
            ]
            for i in range(last):
                before = abs(line[i + 1] - line[i])
                lost += max(0, before - abs(smooth[i + 1] - smooth[i]))
                total += before
        shares.append(lost / total)
    return min(shares)


def test_sharpness_is_as_defined():
    image = blurred(texture(), 0.004)
    assert sharpness(image) == pytest.approx(slow_sharpness(image), rel=1e-6)


def test_what_is_wrong_is_said_with_its_measures():
    assert measure_image_quality(np.asarray(texture())).problems == ()
    tiny = measure_image_quality(np.asarray(texture(40, 30)))
    (problem,) = tiny.problems
    assert "40 x 30 pixels" in problem
    flat = measure_image_quality(np.full((100, 50, 3), 90, np.uint8))
    assert flat.sharpness == 0
    assert "too blurred: sharpness 0.00" in flat.problems[0]
    dot = measure_image_quality(np.zeros((1, 1, 3), np.uint8))
    assert len(dot.problems) == 2


@pytest.mark.skipif(not PETA.exists(), reason="the images of PETA are not here")
def test_real_crops_pass_and_their_blurred_copies_do_not():
    with zipfile.ZipFile(PETA) as archive:
        names = [f"images/{i:05}.png" for i in range(50, 19000, 190)]
        images = [Image.open(io.BytesIO(archive.read(name))) for name in names]
        crops = [image.convert("RGB") for image in images]
    passed = [not measure_image_quality(np.asarray(crop)).problems for crop in crops]
    assert np.mean(passed) >= 0.97
    passed = [sharpness(blurred(crop, 0.03)) >= 0.27 for crop in crops]
    assert np.mean(passed) <= 0.03
