"""Images are resized as by Pillow's bilinear filter, wherever they are resized."""

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from PIL import Image

from mmpar.datasets import Resize
from mmpar.datasets.transforms.resize import resize_antialiased
from mmpar.registry import TRANSFORMS

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture(autouse=True)
def scope():
    init_default_scope("mmpar")


def noise(width, height, seed=0, channels=3):
    """The hardest image to resize: every pixel is a number of its own."""
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def by_pillow(image, size):
    resized = Image.fromarray(image).resize(size, Image.Resampling.BILINEAR)
    return np.asarray(resized)


def difference(one, other):
    return int(np.abs(one.astype(int) - other.astype(int)).max())


def triangle_weights(old, new):
    """(new, old): a triangle as wide as a pixel of the coarser of the two grids."""
    scale = max(old / new, 1.0)
    weights = np.zeros((new, old))
    for i in range(new):
        centre = (i + 0.5) * old / new
        for j in range(old):
            weights[i, j] = max(0.0, 1 - abs(j + 0.5 - centre) / scale)
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("size", [(7, 11), (20, 9), (9, 40), (33, 31), (16, 24)])
def test_every_pixel_is_the_mean_under_a_triangle(size):
    image = noise(16, 24)
    rows, columns = triangle_weights(24, size[1]), triangle_weights(16, size[0])
    exact = np.einsum("yi,xj,ijc->yxc", rows, columns, image.astype(np.float64))
    # Both axes are rounded, one after the other.
    assert np.abs(resize_antialiased(image, size) - exact).max() <= 1.0


def test_sizes_of_all_kinds_are_pillows_within_one_grey_level():
    rng = np.random.default_rng(7)
    equal = {True: 0, False: 0}
    for seed in range(120):
        width, height = np.exp(rng.uniform(0, math.log(600), 2)).astype(int)
        size = (64, 128) if seed % 2 else (192, 256)
        image = noise(width, height, seed, channels=3 if seed % 3 else 1)
        resized = resize_antialiased(image, size)
        assert resized.shape[:2] == size[::-1]
        assert resized.dtype == np.uint8
        apart = difference(resized, by_pillow(image, size))
        shrinks = bool(width > size[0] or height > size[1])
        assert apart <= (0 if shrinks else 1), (width, height, size)
        equal[shrinks] += 1
    assert min(equal.values()) > 30


def test_a_smaller_image_is_not_opencvs():
    image = noise(200, 500)
    assert difference(cv2.resize(image, (192, 256)), by_pillow(image, (192, 256))) > 50


@pytest.mark.parametrize("image_size", [(30, 80), (400, 90), (300, 700)])
def test_the_backends_of_others_are_to_be_had(image_size):
    image = noise(*image_size)
    for backend, expected in [
        ("pillow", by_pillow(image, (192, 256))),
        ("cv2", cv2.resize(image, (192, 256))),
    ]:
        results = Resize((192, 256), backend=backend)(dict(img=image))
        assert np.array_equal(results["img"], expected)


@pytest.mark.parametrize("keep_ratio", [False, True])
@pytest.mark.parametrize("image_size", [(30, 80), (300, 100), (300, 700)])
def test_all_but_the_pixels_is_mmcvs(image_size, keep_ratio):
    from mmcv.transforms import Resize as Theirs

    found = []
    for kind in (Resize, Theirs):
        sample = dict(
            img=noise(*image_size),
            gt_bboxes=np.array([[3, 4, 20, 70], [np.nan] * 4], np.float32),
            gt_keypoints=np.array([[[3.5, 60.0, 1.0]]], np.float32),
            gt_seg_map=noise(*image_size, channels=1),
        )
        results = kind(scale=(192, 256), keep_ratio=keep_ratio)(sample)
        found.append((results.pop("img").shape, results))
    assert found[0][0] == found[1][0]
    assert found[0][1].keys() == found[1][1].keys()
    for name, value in found[1][1].items():
        np.testing.assert_array_equal(found[0][1][name], value, err_msg=name)


def test_a_pipeline_that_names_resize_gets_the_antialiased_one():
    image = noise(300, 700)
    expected = by_pillow(image, (60, 100))
    pipeline = Compose([dict(type="Resize", scale=(60, 100))])
    assert np.array_equal(pipeline(dict(img=image))["img"], expected)
    random = dict(type="RandomResize", scale=(60, 100), ratio_range=(1, 1))
    by_another = TRANSFORMS.build(random)
    assert np.array_equal(by_another(dict(img=image))["img"], expected)


# Those on cached features load none.
ON_IMAGES = sorted(
    path
    for path in CONFIGS.glob("*/*.py")
    if path.parent.name != "_base_" and not path.stem.endswith("_cached")
)


def test_every_config_resizes_alike_in_training_and_test():
    for path in ON_IMAGES:
        cfg = Config.fromfile(path)
        steps = set()
        for part in ("train", "val", "test"):
            loader = cfg.get(f"{part}_dataloader")
            if loader is None:
                continue
            (step,) = (s for s in loader.dataset.pipeline if s["type"] == "Resize")
            transform = TRANSFORMS.build(step)
            assert type(transform) is Resize
            steps.add(repr(transform))
        (only,) = steps
        # As the weights of towers were trained.
        of_towers = "backend=pillow, interpolation=bicubic"
        wanted = of_towers if path.parent.name == "towers" else "backend=antialias,"
        assert wanted in only, path.name


@pytest.mark.parametrize(
    "name",
    [
        "baseline/baseline_r50_pa100k",
        "sspnet/sspnet_r50_pa100k_trainval-test",
        "alm/alm_bninception_pa100k_released",
    ],
)
def test_the_pipelines_of_published_methods_are_pillows_to_a_grey_level(tmp_path, name):
    cfg = Config.fromfile(CONFIGS / f"{name}.py")
    pipeline = Compose(cfg.test_dataloader.dataset.pipeline)
    for i, size in enumerate([(30, 80), (150, 300), (401, 700), (97, 61)]):
        path = tmp_path / f"{i}.png"
        Image.fromarray(noise(*size)).save(path)
        sample = pipeline(dict(img_path=str(path), gt_score=np.zeros(26, np.float32)))
        rgb = sample["inputs"].numpy()[::-1].transpose(1, 2, 0)
        with Image.open(path) as image:
            expected = image.resize(cfg.image_size, Image.Resampling.BILINEAR)
        assert difference(rgb, np.asarray(expected)) <= 1


def test_the_options_of_the_docs_reach_every_pipeline():
    for path in ON_IMAGES:
        if path.parent.name == "towers":
            continue  # OpenCV's filter is not the bicubic one of their weights
        cfg = Config.fromfile(path)
        cfg.merge_from_dict({"test_dataloader.dataset.pipeline.1.backend": "cv2"})
        transform = TRANSFORMS.build(cfg.test_dataloader.dataset.pipeline[1])
        assert type(transform) is Resize
        assert not transform.antialias, path.name
        if "synthetic" not in path.name:
            option = "test_dataloader.dataset.pipeline.0.color_type"
            cfg.merge_from_dict({option: "color_ignore_orientation"})
            load = TRANSFORMS.build(cfg.test_dataloader.dataset.pipeline[0])
            assert load.color_type == "color_ignore_orientation"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(backend="turbojpeg"), "no backend 'turbojpeg'.*'antialias'"),
        (dict(interpolation="bicubic"), "'bilinear' only, not 'bicubic'.*pillow"),
    ],
)
def test_what_cannot_be_done_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Resize(scale=(64, 128), **arguments)


@pytest.mark.parametrize(
    "image", [np.zeros((9, 8, 3), np.float32), np.zeros((9, 8, 4), np.uint8)]
)
def test_images_without_a_rule_are_refused_with_the_remedy(image):
    with pytest.raises(ValueError, match=r"takes uint8 images.*backend='cv2'"):
        Resize(scale=(4, 5))(dict(img=image))
