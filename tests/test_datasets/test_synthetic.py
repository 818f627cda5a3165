"""SyntheticPAR: splits, samples, what is kept in memory."""

import numpy as np
import pytest

from mmpar.datasets import SampleError, SyntheticPAR
from mmpar.registry import DATASETS, TRANSFORMS
from mmpar.structures import COCO_FLIP_ORDER
from mmpar.synthetic import draw_person

DRAW = [dict(type="DrawSyntheticPerson")]
KEEP = [dict(type="DrawSyntheticPerson", keep=True)]
SMALL = (32, 64)


def build(**kwargs):
    settings = dict(num_samples=6, split="train", image_size=SMALL, pipeline=DRAW)
    return DATASETS.build(dict(type="SyntheticPAR", **{**settings, **kwargs}))


def test_a_sample_is_a_drawn_person():
    sample = build(seed=4)[2]
    person = draw_person(4, 2, SMALL)
    np.testing.assert_array_equal(sample["img"][..., ::-1], person.image)
    np.testing.assert_array_equal(sample["gt_score"], person.labels)
    np.testing.assert_array_equal(sample["gt_bboxes"], person.attribute_boxes)
    keypoints = sample["gt_keypoints"][0]
    np.testing.assert_array_equal(keypoints[:, :2], person.keypoints[:, :2])
    np.testing.assert_array_equal(keypoints[:, 2], person.keypoints[:, 2] > 0)
    assert sample["img"].flags["C_CONTIGUOUS"]
    assert sample["gt_score"].dtype == np.float32
    assert sample["img_shape"] == sample["ori_shape"] == (64, 32)


def test_splits_share_nobody():
    parts = {split: build(split=split, num_samples=400) for split in ("train", "val")}
    parts["test"] = build(split="test", num_samples=400)
    names = [p.get_data_info(i)["img_path"] for p in parts.values() for i in range(400)]
    assert len(set(names)) == 1200
    labels = [part.get_labels() for part in parts.values()]
    assert (labels[0] != labels[1]).any()
    assert (labels[1] != labels[2]).any()
    images = {part[0]["img"].tobytes() for part in parts.values()}
    assert len(images) == 3


def test_a_longer_split_begins_with_the_shorter_one():
    short, long = build(num_samples=5), build(num_samples=9)
    np.testing.assert_array_equal(long.get_labels()[:5], short.get_labels())


def test_labels_are_sampled_without_drawing(monkeypatch):
    monkeypatch.setattr("mmpar.datasets.synthetic.draw_person", None)
    dataset = build(num_samples=10_000)
    assert len(dataset) == 10_000
    assert 0.3 < dataset.positive_ratios()[0] < 0.6


def test_transforms_move_boxes_and_keypoints_with_the_image():
    plain = build()[0]
    flip = dict(type="RandomFlip", prob=1.0, direction="horizontal")
    moved = build(pipeline=[*DRAW, dict(type="Resize", scale=(64, 64)), flip])[0]
    x = moved["gt_bboxes"][:, [2, 0]]
    np.testing.assert_allclose(x, 64 - 2 * plain["gt_bboxes"][:, [0, 2]])
    mirrored = plain["gt_keypoints"][0, COCO_FLIP_ORDER]
    shown = mirrored[:, 2] > 0
    np.testing.assert_allclose(
        moved["gt_keypoints"][0, shown, 0], 64 - 2 * mirrored[shown, 0]
    )


def test_packed_samples_carry_boxes_and_keypoints():
    packed = build(pipeline=[*DRAW, dict(type="PackPARInputs")])[1]
    sample = packed["data_samples"]
    assert packed["inputs"].shape == (3, 64, 32)
    assert sample.gt_attribute_boxes.shape == (26, 4)
    assert sample.gt_keypoints.shape == (1, 17, 3)


@pytest.mark.parametrize("num_samples", [0, -1, 10**9 + 1])
def test_impossible_numbers_of_samples_are_refused(num_samples):
    with pytest.raises(ValueError, match=str(num_samples)):
        build(num_samples=num_samples)


def test_unknown_splits_are_refused():
    with pytest.raises(ValueError, match="trainval"):
        build(split="trainval")


def test_the_drawing_step_names_the_datasets_it_works_with():
    with pytest.raises(KeyError, match="SyntheticPAR"):
        TRANSFORMS.build(DRAW[0])(dict(img_path="a.jpg"))


def test_a_step_that_loads_a_file_fails_with_the_name_of_the_sample():
    with pytest.raises(SampleError, match="synthetic/0/0"):
        build(pipeline=[dict(type="LoadPersonImage")])[0]


# --- what is kept in memory -----------------------------------------------------------


def test_kept_people_equal_drawn_ones_and_are_not_drawn_again(monkeypatch):
    drawn, kept = build(), build(pipeline=KEEP)
    for _ in range(2):
        for i in range(len(drawn)):
            ours, theirs = kept[i], drawn[i]
            assert ours.keys() == theirs.keys()
            for key in ("img", "gt_score", "gt_bboxes", "gt_keypoints"):
                np.testing.assert_array_equal(ours[key], theirs[key])
                assert ours[key].dtype == theirs[key].dtype
        monkeypatch.setattr("mmpar.datasets.synthetic.draw_person", None)
        drawn = list(map(kept.__getitem__, range(len(kept))))


def test_one_step_keeps_seeds_and_sizes_apart():
    draw = TRANSFORMS.build(KEEP[0])
    for seed, size in ((0, SMALL), (1, SMALL), (0, (48, 96)), (0, SMALL)):
        sample = draw(build(seed=seed, image_size=size).get_data_info(0))
        image = draw_person(seed, 0, size).image
        np.testing.assert_array_equal(sample["img"][..., ::-1], image)


def test_transforms_do_not_change_what_memory_keeps():
    dataset = build(pipeline=[*KEEP, dict(type="Resize", scale=(64, 128))])
    first, second = dataset[0], dataset[0]
    np.testing.assert_array_equal(first["gt_keypoints"], second["gt_keypoints"])
    np.testing.assert_array_equal(first["gt_bboxes"], second["gt_bboxes"])


def test_the_class_is_registered():
    assert DATASETS.get("SyntheticPAR") is SyntheticPAR


def test_drawn_labels_have_no_coding():
    with pytest.raises(ValueError, match=r"label_map=.* has no effect"):
        SyntheticPAR(num_samples=2, split="train", label_map={-1: 0})
