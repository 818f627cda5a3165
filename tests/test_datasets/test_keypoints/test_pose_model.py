"""Keypoints that a pose model finds are where they are in the picture."""

import numpy as np
import pytest
import torch

from mmpar.datasets.keypoints import PoseModel
from mmpar.datasets.keypoints.pose_model import decode_heat_maps, decode_simcc
from tests.fixtures.pose_models import (
    RED_ONLY,
    BrightLines,
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
    }


def places(size, count):
    """Random places well inside a picture, (count, 2)."""
    height, width = size
    return np.random.default_rng(0).uniform(0.1, 0.9, (count, 2)) * (width, height)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["heat map", "one at a time", "simcc"])
def test_spots_are_found_where_they_are(models, kind, size):
    model = PoseModel(models[kind])
    red, green = places(size, 80).reshape(2, 40, 2)
    found = model([spots(size, *pair) for pair in zip(red, green)])
    assert found.shape == (40, 17, 3)
    assert found.dtype == np.float32
    assert (found[..., 2] > 0.3).all()
    assert (found[..., 2] <= 1).all()
    scale = min(192 / size[1], 256 / size[0]) / 1.25
    cell = (1 if kind == "simcc" else 4) / scale
    for joint, true in ((0, red), (RED_ONLY, green)):
        error = found[:, joint, :2] - true
        # A cell in the worst case, and no bias: half a pixel would be far above.
        assert np.abs(error).max() < max(cell, 1.0)
        assert np.abs(error.mean(axis=0)).max() < 0.2 * max(1 / scale, 1.0)
    np.testing.assert_array_equal(found[:, 0], found[:, RED_ONLY - 1])


def test_pictures_of_any_size_share_a_batch(models):
    model = PoseModel(models["heat map"])
    pictures = [spots(size, (20.5, 30.5), (10.5, 40.5)) for size in SIZES]
    together = model(pictures)
    alone = np.concatenate([model([picture]) for picture in pictures])
    np.testing.assert_array_equal(together, alone)


class Corner(BrightSpots):
    """Finds everything in the first cell, which lies beside the picture."""

    def forward(self, images):
        maps = 0 * super().forward(images)
        corner = torch.zeros_like(maps)
        corner[..., 0, 0] = 1
        return maps + corner


def test_places_outside_the_picture_are_missing(tmp_path):
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


def test_no_model_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no pose model .*x\.onnx"):
        PoseModel(tmp_path / "x.onnx")
    (tmp_path / "x.onnx").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"x\.onnx is not an ONNX model"):
        PoseModel(tmp_path / "x.onnx")
