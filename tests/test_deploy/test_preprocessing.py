"""Images reach an exported model as they reach the one in torch, bit for bit."""

import io

import cv2
import numpy as np
import pytest
import torch
from mmpretrain.models import ClsDataPreprocessor
from PIL import Image

from mmpar.datasets.transforms import LoadPersonImage, Resize
from mmpar.deploy.preprocessing import (
    check_supported,
    normalize,
    read_image,
    resize_bilinear,
    resize_image,
)
from mmpar.structures.preprocessing import Preprocessing

RNG = np.random.default_rng(0)


def smooth(height=61, width=43):
    """A colour image whose JPEG is not noise."""
    coarse = RNG.integers(0, 256, (6, 4, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def encode(image, kind, **options):
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def upright(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def deep(image):
    grey = np.asarray(image.convert("L")).astype(np.uint16) * 256
    return Image.fromarray(grey + RNG.integers(0, 256, grey.shape, dtype=np.uint16))


def files():
    image = smooth()
    alpha = image.copy()
    alpha.putalpha(Image.fromarray(RNG.integers(0, 256, (61, 43), dtype=np.uint8)))
    palette = image.convert("P", palette=Image.Palette.ADAPTIVE)
    for sampling in ("4:4:4", "4:2:2", "4:2:0"):
        for progressive in (False, True):
            options = dict(subsampling=sampling, progressive=progressive)
            yield f"jpeg {options}", encode(image, "JPEG", quality=60, **options)
    for orientation in range(10):
        for kind in ("JPEG", "PNG", "WEBP"):
            exif = upright(orientation)
            yield f"{kind} turned {orientation}", encode(image, kind, exif=exif)
    modes = dict(grey=image.convert("L"), bits=image.convert("1"), palette=palette)
    for name, given in {
        **modes,
        "alpha": alpha,
        "grey-alpha": alpha.convert("LA"),
    }.items():
        yield f"png {name}", encode(given, "PNG")
    yield "png 16-bit grey", encode(deep(image), "PNG")
    colours = RNG.integers(0, 65536, (9, 7, 3), dtype=np.uint16)
    yield "png 16-bit colours", cv2.imencode(".png", colours)[1].tobytes()
    yield "tiff 16-bit grey", encode(deep(image), "TIFF")
    yield "jpeg grey", encode(image.convert("L"), "JPEG")
    yield "jpeg cmyk", encode(image.convert("CMYK"), "JPEG")
    yield "webp alpha", encode(alpha, "WEBP", lossless=True)
    yield "animated", encode(image, "WEBP", save_all=True, append_images=[alpha])
    yield "bmp", encode(image, "BMP")
    yield "gif", encode(image, "GIF")
    yield "1 x 1", encode(smooth(1, 1), "JPEG")


@pytest.mark.parametrize("use_exif", [True, False])
def test_files_are_decoded_as_opencv_decodes_them(tmp_path, use_exif):
    loader = LoadPersonImage("color" if use_exif else "color_ignore_orientation")
    for name, content in files():
        path = tmp_path / "image"
        path.write_bytes(content)
        expected = loader.transform(dict(img_path=str(path)))["img"]
        found = read_image(str(path), use_exif)
        assert np.array_equal(found, expected), name


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no image",
        encode(smooth(), "JPEG")[:-300],
        encode(smooth(), "PNG")[:-300],
        encode(Image.fromarray(np.full((4, 4), 1e6, np.float32)), "TIFF"),
        encode(smooth(), "JPEG").replace(b"\x00\x3d\x00\x2b", b"\xff\xff\xff\xff"),
    ],
    ids=["empty", "text", "truncated jpeg", "truncated png", "32-bit", "too large"],
)
def test_files_are_refused_in_the_same_words(tmp_path, content):
    path = str(tmp_path / "image")
    (tmp_path / "image").write_bytes(content)
    with pytest.raises(ValueError, match=r"image|pixels|JPEG") as expected:
        LoadPersonImage().transform(dict(img_path=path))
    with pytest.raises(ValueError, match=r"image|pixels|JPEG") as found:
        read_image(path)
    ours, theirs = (str(one.value).split(": ")[0] for one in (found, expected))
    assert ours == theirs


def test_bilinear_resizing_is_opencvs_at_any_size():
    for _ in range(300):
        height, width, new_height, new_width = RNG.integers(1, 90, 4).tolist()
        image = RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)
        for size in ((new_width, new_height), (width * 2, height * 3)):
            expected = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
            found = resize_bilinear(image, size)
            assert np.array_equal(found, expected), (image.shape, size)


def steps(resize="antialias", interpolation="bilinear", **fields):
    given = dict(
        width=30, height=40, resize=resize, interpolation=interpolation,
        mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375), to_rgb=True,
        use_exif=True,
    )  # fmt: skip
    return Preprocessing(**{**given, **fields})


@pytest.mark.parametrize(
    ("resize", "interpolation"),
    [
        ("antialias", "bilinear"),
        ("cv2", "bilinear"),
        *(("pillow", name) for name in ("nearest", "bilinear", "bicubic", "lanczos")),
    ],
)
def test_every_way_of_resizing_is_that_of_the_pipeline(resize, interpolation):
    ours = steps(resize, interpolation)
    theirs = Resize((30, 40), backend=resize, interpolation=interpolation)
    for shape in ((80, 60), (41, 29), (20, 15), (40, 30), (40, 60), (39, 1), (500, 7)):
        image = RNG.integers(0, 256, (*shape, 3), dtype=np.uint8)
        expected = theirs.transform(dict(img=image))["img"]
        assert np.array_equal(resize_image(image, ours), expected), shape


def test_a_filter_that_only_opencv_has_is_refused():
    with pytest.raises(ValueError, match=r"'area'.*'bilinear' only"):
        check_supported(steps("cv2", "area"))


@pytest.mark.parametrize("to_rgb", [True, False])
def test_normalized_values_are_those_of_the_data_preprocessor(to_rgb):
    images = RNG.integers(0, 256, (3, 40, 30, 3), dtype=np.uint8)
    ours = steps(to_rgb=to_rgb)
    theirs = ClsDataPreprocessor(mean=ours.mean, std=ours.std, to_rgb=to_rgb)
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2)
    expected = theirs(dict(inputs=pixels))["inputs"].numpy()
    assert np.array_equal(normalize(images, ours), expected)
