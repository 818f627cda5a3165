"""Keypoints that a pose model finds are where they are in the image."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mmpar.datasets.keypoints import PoseModel
from mmpar.datasets.keypoints.pose_model import (
    decode_heat_maps,
    decode_rows,
    decode_simcc,
    fit_to_input,
    frame,
)
from mmpar.structures.boxes import crop_box
from mmpar.structures.keypoints import COCO_FLIP_ORDER
from tests.fixtures.pose_models import (
    RED_ONLY,
    BrightLines,
    BrightPixels,
    BrightSpots,
    export,
    spots,
)

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

SIZES = [(100, 50), (60, 58), (300, 80)]
"""Narrower than the model's input, wider, and larger."""


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    lines = export(BrightLines(), folder / "s.onnx", ["simcc_x", "simcc_y"])
    return {
        "heat map": export(BrightSpots(), folder / "h.onnx", ["heat"]),
        "one at a time": export(
            BrightSpots(), folder / "h1.onnx", ["heat"], (1, 3, 256, 192)
        ),
        "simcc": lines,
        "rows": export_rows(folder / "r.onnx"),
    }


def export_rows(file, shape=(1, 192, 192, 3), model=None):
    return export(model or BrightPixels(), file, ["rows"], shape, torch.int32)


def places(size, count):
    """Random places well inside an image, (count, 2)."""
    height, width = size
    return np.random.default_rng(0).uniform(0.1, 0.9, (count, 2)) * (width, height)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["heat map", "one at a time", "simcc", "rows"])
def test_spots_are_found_where_they_are(models, kind, size):
    model = PoseModel(models[kind])
    red, green = places(size, 80).reshape(2, 40, 2)
    found = model([spots(size, *pair) for pair in zip(red, green)])
    assert found.shape == (40, 17, 3)
    assert found.dtype == np.float32
    assert (found[..., 2] > 0.3).all()
    assert (found[..., 2] <= 1).all()
    scale = min(192 / size[1], 256 / size[0]) / 1.25
    if kind == "rows":
        scale = 192 / max(size)
    cell = (4 if "one" in kind or kind == "heat map" else 1) / scale
    for joint, true in ((0, red), (RED_ONLY, green)):
        error = found[:, joint, :2] - true
        # A cell in the worst case, and no bias: half a pixel would be far above.
        assert np.abs(error).max() < max(cell, 1.0)
        assert np.abs(error.mean(axis=0)).max() < 0.2 * max(1 / scale, 1.0)
    np.testing.assert_array_equal(found[:, 0], found[:, RED_ONLY - 1])


def test_images_of_any_size_share_a_batch(models):
    model = PoseModel(models["heat map"])
    images = [spots(size, (20.5, 30.5), (10.5, 40.5)) for size in SIZES]
    together = model(images)
    alone = np.concatenate([model([image]) for image in images])
    np.testing.assert_array_equal(together, alone)


class Corner(BrightSpots):
    """Finds everything in the first cell, which lies beside the image."""

    def forward(self, images):
        maps = 0 * super().forward(images)
        corner = torch.zeros_like(maps)
        corner[..., 0, 0] = 1
        return maps + corner


def test_places_outside_the_image_are_missing(tmp_path):
    model = PoseModel(export(Corner(), tmp_path / "c.onnx", ["heat"]))
    assert not model([spots((100, 50), (20, 30), (10, 40))]).any()


# --- decoding -------------------------------------------------------------------------


def test_a_heat_map_cell_is_the_pixel_number_times_the_stride():
    maps = np.zeros((1, 2, 64, 48))
    maps[0, 0, 10, 7] = 0.9
    maps[0, 1, 63, 0] = 0.4
    found = decode_heat_maps(maps, (192, 256))
    assert found[0].tolist() == [[28.5, 40.5, 0.9], [0.5, 252.5, 0.4]]


def test_a_maximum_moves_a_quarter_cell_to_its_higher_neighbour():
    maps = np.zeros((1, 1, 64, 48))
    maps[0, 0, 10, 7:9] = (0.9, 0.5)
    maps[0, 0, 9, 7] = 0.3
    found = decode_heat_maps(maps, (192, 256))
    assert found[0, 0].tolist() == [4 * 7.25 + 0.5, 4 * 9.75 + 0.5, 0.9]


def test_simcc_has_two_cells_a_pixel_and_the_lower_score():
    x, y = np.zeros((1, 1, 384)), np.zeros((1, 1, 512))
    x[..., 101], y[..., 30] = 0.8, 0.6
    assert decode_simcc(x, y, (192, 256)).tolist() == [[[51.0, 15.5, 0.6]]]


def test_rows_are_y_x_and_score_in_shares_of_the_input():
    found = decode_rows(np.array([[[0.25, 0.5, 0.9]]], np.float32), (192, 256))
    np.testing.assert_allclose(found, [[[96, 64, 0.9]]], rtol=1e-6)


# --- framing --------------------------------------------------------------------------


def test_an_image_that_just_fits_is_in_the_middle_of_the_input():
    scale, shift = fit_to_input((100, 50), (192, 192), padding=1.0)
    assert scale == 1.92
    assert shift.tolist() == [48, 0]
    image = np.full((100, 50, 3), 200, np.uint8)
    framed = frame(image, scale, shift, (192, 192))
    assert framed[1:-1, 49:143].min() == 200
    assert not framed[:, :47].any()
    assert not framed[:, 145:].any()


# --- a real MoveNet -------------------------------------------------------------------

SHARED = Path(__file__).parents[4] / "shared"


@pytest.fixture
def movenet():
    file = SHARED / "models/movenet-lightning.onnx"
    if not file.is_file():
        pytest.skip("no MoveNet here")
    return PoseModel(file)


@pytest.fixture
def labelled():
    """A person with all 17 keypoints: the crop, and the places in it."""
    folder = SHARED / "data/coco_people"
    if not folder.is_dir():
        pytest.skip("no photographs here")
    persons = json.loads((folder / "persons.json").read_text())
    (person,) = (p for p in persons["annotations"] if p.get("keypoints"))
    files = {image["id"]: image["file_name"] for image in persons["images"]}
    path = folder / "images" / files[person["image_id"]]
    x, y, width, height = person["bbox"]
    box = np.array([x, y, x + width, y + height])
    places = np.array(person["keypoints"]).reshape(17, 3)[:, :2] + 0.5
    crop = crop_box(cv2.imread(str(path)), box, str(path))
    return crop, places - np.floor(box[:2])


def test_movenet_finds_a_labelled_person(movenet, labelled):
    """Measured: 1.5 % of the person's height off in the mean, 3.2 % at most."""
    image, places = labelled
    found = movenet([image])[0]
    assert (found[:, 2] > 0.3).sum() >= 16
    errors = np.linalg.norm(found[:, :2] - places, axis=1) / image.shape[0]
    assert errors.mean() < 0.02
    assert errors.max() < 0.04


def test_movenet_finds_the_mirrored_person_mirrored(movenet, labelled):
    image, _ = labelled
    found = movenet([image])[0]
    mirrored = movenet([np.ascontiguousarray(image[:, ::-1])])[0][[*COCO_FLIP_ORDER]]
    mirrored[:, 0] = image.shape[1] - mirrored[:, 0]
    apart = np.linalg.norm(found[:, :2] - mirrored[:, :2], axis=1)
    assert np.median(apart) < 0.02 * image.shape[0]


# --- errors ---------------------------------------------------------------------------


def test_another_output_is_an_error(tmp_path):
    class Six(torch.nn.Module):
        def forward(self, images):
            return images[:, :, ::4, ::4].repeat(1, 2, 1, 1)

    model = PoseModel(export(Six(), tmp_path / "x.onnx", ["y"]))
    with pytest.raises(ValueError, match=r"returns {'y': \(1, 6, 64, 48\)}; expected"):
        model([spots((100, 50), (20, 30), (10, 40))])


def test_another_input_is_an_error(tmp_path):
    class OneMore(BrightSpots):
        def forward(self, images):
            return super().forward(images[:, 0])

    file = export(OneMore(), tmp_path / "x.onnx", ["y"], (1, 1, 3, 256, 192))
    with pytest.raises(ValueError, match=r"x\.onnx takes .*expected one input"):
        PoseModel(file)


def test_whole_numbers_in_another_layout_are_an_error(tmp_path):
    class Turned(BrightPixels):
        def forward(self, images):
            return super().forward(images.permute(0, 2, 3, 1))

    file = export_rows(tmp_path / "x.onnx", (1, 3, 192, 192), Turned())
    with pytest.raises(ValueError, match=r"int32\) \[1, 3, 192, 192\].*H, W, 3"):
        PoseModel(file)


def test_a_model_of_several_persons_is_an_error(tmp_path):
    class Six(BrightPixels):
        def forward(self, images):
            return super().forward(images).repeat(1, 6, 1, 1).flatten(2)

    model = PoseModel(export_rows(tmp_path / "x.onnx", model=Six()))
    with pytest.raises(ValueError, match=r"\(1, 6, 51\).*MoveNet for one person"):
        model([spots((100, 50), (20, 30), (10, 40))])


def test_no_model_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no pose model .*x\.onnx"):
        PoseModel(tmp_path / "x.onnx")
    (tmp_path / "x.onnx").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"x\.onnx cannot be run by ONNX Runtime"):
        PoseModel(tmp_path / "x.onnx")
