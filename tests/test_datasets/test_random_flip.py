"""Flips commute with everything else that moves keypoints."""

import numpy as np
import pytest
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope

from mmpar.datasets import RandomCrop, RandomFlip, Resize, SyntheticPAR
from mmpar.structures import COCO_KEYPOINTS

LEFT_WRIST = COCO_KEYPOINTS.index("left_wrist")
RIGHT_WRIST = COCO_KEYPOINTS.index("right_wrist")


def sample(seed=0, size=(80, 60)):
    """A picture with keypoints, three of them missing, and a box that is absent."""
    rng = np.random.default_rng(seed)
    points = np.ones((1, 17, 3), np.float32)
    points[0, :, :2] = rng.uniform(0, 1, (17, 2)) * (size[1], size[0])
    points[0, [0, 7, 12]] = 0
    return dict(
        img=rng.integers(0, 256, (*size, 3), dtype=np.uint8),
        img_shape=size,
        gt_keypoints=points,
        gt_bboxes=np.array([[3, 4, 20, 70], [np.nan] * 4], np.float32),
    )


def flip(results, direction="horizontal"):
    return RandomFlip(prob=1.0, direction=direction)(results)


def resize(results):
    return Resize(scale=(192, 256), keep_ratio=False)(results)


def assert_same(one, other):
    np.testing.assert_array_equal(one["img"], other["img"])
    np.testing.assert_allclose(one["gt_bboxes"], other["gt_bboxes"], atol=1e-4)
    seen = one["gt_keypoints"][..., 2]
    np.testing.assert_array_equal(seen, other["gt_keypoints"][..., 2])
    there = seen > 0
    np.testing.assert_allclose(
        one["gt_keypoints"][there], other["gt_keypoints"][there], atol=1e-4
    )
    assert 3 < there.sum() < 17


DIRECTIONS = ["horizontal", "vertical", "diagonal"]


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_flip_undoes_itself(direction):
    assert_same(flip(flip(sample(), direction), direction), sample())


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_flip_and_a_resize_commute(direction):
    after, before = flip(resize(sample()), direction), resize(flip(sample(), direction))
    before["img"] = after["img"]  # fixed point rounds by one grey level
    assert_same(after, before)


def test_the_three_flips_compose():
    turned = flip(flip(sample(), "horizontal"), "vertical")
    assert_same(flip(sample(), "diagonal"), turned)


class CropAt(RandomCrop):
    """Crops where it is told."""

    def __init__(self, left, top, size):
        super().__init__(size)
        self.at = (top, left, *size)

    def rand_crop_params(self, img):
        return self.at


@pytest.mark.parametrize("left", [0, 7, 20])
def test_a_flip_and_a_crop_commute(left):
    width, cropped = 60, (70, 40)
    mirrored = CropAt(width - left - cropped[1], 5, cropped)(flip(sample()))
    assert_same(flip(CropAt(left, 5, cropped)(sample())), mirrored)


def person(index):
    pipeline = [dict(type="DrawSyntheticPerson")]
    people = SyntheticPAR(num_samples=20, split="train", pipeline=pipeline)
    return people[index]


def test_the_left_wrist_of_a_mirrored_person_is_where_the_right_one_was():
    before, after = person(3), flip(person(3))
    np.testing.assert_array_equal(after["img"], before["img"][:, ::-1])
    right = before["gt_keypoints"][0, RIGHT_WRIST].copy()
    right[0] = before["img"].shape[1] - right[0]
    np.testing.assert_allclose(after["gt_keypoints"][0, LEFT_WRIST], right)


def test_a_keypoint_keeps_to_its_pixel():
    """Drawn places are continuous: pixel ``int(x)`` shows them, before and after."""
    moved = 0
    for index in range(20):
        before = person(index)
        # A picture whose pixels are numbers; a point inside a pixel keeps its number.
        height, width = before["img"].shape[:2]
        numbers = np.arange(height * width, dtype=np.int32).reshape(height, width)
        before["img"] = numbers.astype(np.float32)[..., None].repeat(3, axis=2)
        points = before["gt_keypoints"][0].copy()
        after = flip(before)
        swapped = after["gt_keypoints"][0]
        for name in ("nose", "left_knee", "right_ankle"):
            other = name.replace("left", "?").replace("right", "left")
            row = COCO_KEYPOINTS.index(name)
            mirror = COCO_KEYPOINTS.index(other.replace("?", "right"))
            x, y, seen = points[row]
            assert swapped[mirror, 2] == seen
            if seen == 0 or x % 1 == 0:
                continue
            new_x, new_y = swapped[mirror, :2]
            assert after["img"][int(new_y), int(new_x), 0] == numbers[int(y), int(x)]
            moved += 1
    assert moved > 20


def test_without_a_flip_nothing_changes():
    assert_same(RandomFlip(prob=0.0)(sample()), sample())


def test_a_sample_without_keypoints_is_flipped_as_mmcv_does():
    from mmcv.transforms import RandomFlip as Theirs

    plain = {k: v for k, v in sample().items() if k != "gt_keypoints"}
    found, expected = flip(dict(plain)), Theirs(prob=1.0)(dict(plain))
    assert found.keys() == expected.keys()
    np.testing.assert_array_equal(found["gt_bboxes"], expected["gt_bboxes"])


def test_other_keypoints_are_an_error():
    odd = dict(sample(), gt_keypoints=np.zeros((1, 21, 3), np.float32))
    with pytest.raises(ValueError, match=r"\(1, 21, 3\); RandomFlip swaps"):
        flip(odd)


def test_a_config_that_says_RandomFlip_gets_this_one():
    init_default_scope("mmpar")
    (found,) = Compose([dict(type="RandomFlip", prob=0.5)]).transforms
    assert type(found) is RandomFlip
