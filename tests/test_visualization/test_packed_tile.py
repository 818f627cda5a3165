"""A tile shows what PackPARInputs hands to the model."""

import numpy as np
import pytest
import torch

from mmpar.registry import TRANSFORMS
from mmpar.structures import AttributeSchema
from mmpar.visualization import packed_tile

SCHEMA = AttributeSchema(
    ("Hat", "Female", "Boots", "Age"), {"head": ("Hat",), "foot": ("Boots",)}
)
BLUE_BGR = (255, 0, 0)
NOWHERE = [np.nan] * 4


def packed(*steps, labels=(1, -1, 1, 0), **more):
    """A picture of 60 x 40 with a blue hat at (6, 4) to (16, 10), after ``steps``."""
    image = np.zeros((60, 40, 3), np.uint8)
    image[4:10, 6:16] = BLUE_BGR
    keypoints = np.zeros((17, 3), np.float32)
    keypoints[:3] = [11, 7, 1], [1, 1, 0], [30, 50, 1]
    results = dict(
        img=image,
        img_shape=(60, 40),
        img_path="folder/one.jpg",
        sample_idx=7,
        gt_score=np.array(labels, np.float32),
        gt_bboxes=np.array([[6, 4, 16, 10], *[NOWHERE] * 3], np.float32),
        gt_keypoints=keypoints[None],
        **more,
    )
    for step in (*steps, dict(type="PackPARInputs")):
        results = TRANSFORMS.build(step)(results)
    return results


FLIP = dict(type="RandomFlip", prob=1.0, direction="horizontal")
CROP = dict(type="RandomCrop", crop_size=(52, 30), padding=3)
SCALE = dict(type="Resize", scale=(80, 120))
LARGE_CROP = dict(CROP, crop_size=(120, 78))


@pytest.mark.parametrize("steps", [(), (FLIP,), (CROP,), (SCALE, FLIP, LARGE_CROP)])
def test_box_and_keypoint_are_where_the_model_sees_the_hat(steps):
    np.random.seed(1)
    tile = packed_tile(packed(*steps), SCHEMA)
    # Interpolation of Resize blurs the edge.
    rows, columns = np.nonzero(tile.image[..., 2] > 127)
    ((box, _),) = tile.boxes
    x0, y0, x1, y1 = box
    assert (columns.min(), columns.max() + 1) == pytest.approx((x0, x1))
    assert (rows.min(), rows.max() + 1) == pytest.approx((y0, y1))
    x, y = tile.keypoints[0][0]
    assert tile.image[int(y), int(x)].tolist() == [0, 0, 255]


def test_picture_is_in_rgb_and_exact():
    sample = packed()
    image = packed_tile(sample, SCHEMA).image
    assert image.shape == (60, 40, 3)
    assert (image[..., ::-1].transpose(2, 0, 1) == sample["inputs"].numpy()).all()


def test_grey_pictures_are_drawn_grey():
    sample = packed()
    sample["inputs"] = torch.full((1, 4, 5), 9.0)
    assert (packed_tile(sample, SCHEMA).image == np.full((4, 5, 3), 9)).all()


def test_present_names_are_told_by_group_and_unknown_ones_counted():
    texts = [text for text, _ in packed_tile(packed(), SCHEMA).texts]
    assert texts == ["7: one.jpg", "Hat", "Boots", "1 unknown"]
    sample = packed(labels=(0, 1, 0, 1), domain="PETA")
    texts = packed_tile(sample, SCHEMA).texts
    assert [text for text, _ in texts] == ["7: one.jpg (PETA)", "Female, Age"]
    assert texts[1][1] == "black"
    sample = packed(labels=(0, 0, 0, 0))
    assert packed_tile(sample, SCHEMA).texts[1][0] == "none present"


def test_a_box_has_the_colour_of_its_groups_names():
    tile = packed_tile(packed(), SCHEMA)
    colors = dict(tile.texts)
    assert tile.boxes[0][1] == colors["Hat"] != colors["Boots"]


def test_usable_keypoints_look_alike_and_missing_ones_are_left_out():
    tile = packed_tile(packed(), SCHEMA)
    (one, first), (other, second) = tile.keypoints
    assert (one, other) == ([11, 7], [30, 50])
    assert first == second


def test_normalised_inputs_are_refused():
    sample = packed()
    sample["inputs"] = sample["inputs"].float() / 255 - 0.5
    with pytest.raises(ValueError, match=r"one\.jpg.*data_preprocessor"):
        packed_tile(sample, SCHEMA)


def test_several_pictures_a_sample_are_refused():
    sample = packed()
    sample["inputs"] = sample["inputs"][None]
    with pytest.raises(ValueError, match=r"one\.jpg.*\(1, 3, 60, 40\)"):
        packed_tile(sample, SCHEMA)


def test_labels_of_another_schema_are_refused():
    with pytest.raises(ValueError, match=r"gt_score of folder/one\.jpg is for 4"):
        packed_tile(packed(), AttributeSchema(("Hat",)))
