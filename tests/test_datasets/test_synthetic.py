"""SyntheticPAR: splits, samples, cache."""

import io
import multiprocessing
import time

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mmpar.datasets import SampleError, SyntheticPAR
from mmpar.datasets.drawing import PersonSource, draw_person
from mmpar.datasets.drawing.cache import read_person
from mmpar.registry import DATASETS, TRANSFORMS
from mmpar.structures import COCO_FLIP_ORDER

DRAW = [dict(type="DrawSyntheticPerson")]
SMALL = (32, 64)


def build(**kwargs):
    settings = dict(num_samples=6, split="train", image_size=SMALL, pipeline=DRAW)
    return DATASETS.build(dict(type="SyntheticPAR", **{**settings, **kwargs}))


def files_in(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_sample_is_a_drawn_person():
    sample = build(seed=4)[2]
    person = draw_person(4, 2, SMALL)
    np.testing.assert_array_equal(sample["img"][..., ::-1], person.image)
    np.testing.assert_array_equal(sample["gt_score"], person.labels)
    np.testing.assert_array_equal(sample["gt_bboxes"], person.attribute_boxes)
    np.testing.assert_array_equal(sample["gt_keypoints"], person.keypoints[None])
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
    pictures = {part[0]["img"].tobytes() for part in parts.values()}
    assert len(pictures) == 3


def test_a_longer_split_begins_with_the_shorter_one():
    short, long = build(num_samples=5), build(num_samples=9)
    np.testing.assert_array_equal(long.get_labels()[:5], short.get_labels())


def test_ten_thousand_labels_take_less_than_two_seconds():
    start = time.process_time()
    dataset = build(num_samples=10_000)
    assert time.process_time() - start < 2
    assert len(dataset) == 10_000
    assert 0.3 < dataset.positive_ratios()[0] < 0.6


def test_transforms_move_boxes_and_keypoints_with_the_picture():
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


def test_the_drawing_step_names_the_data_sets_it_works_with():
    with pytest.raises(KeyError, match="SyntheticPAR"):
        TRANSFORMS.build(DRAW[0])(dict(img_path="a.jpg"))


def test_a_step_that_loads_a_file_fails_with_the_name_of_the_sample():
    with pytest.raises(SampleError, match="synthetic/0/0"):
        build(pipeline=[dict(type="LoadPersonImage")])[0]


# --- cache ----------------------------------------------------------------------------


def assert_same_samples(one, other):
    for i in range(len(one)):
        ours, theirs = one[i], other[i]
        assert ours.keys() == theirs.keys()
        for key in ("img", "gt_score", "gt_bboxes", "gt_keypoints"):
            np.testing.assert_array_equal(ours[key], theirs[key])
            assert ours[key].dtype == theirs[key].dtype


def test_cached_people_equal_drawn_ones(tmp_path):
    drawn = build()
    for cache in ("memory", str(tmp_path)):
        cached = build(cache=cache)
        assert_same_samples(cached, drawn)
        assert_same_samples(cached, drawn)
    assert len(files_in(tmp_path)) == 6


def test_a_cached_person_is_not_drawn_again(tmp_path, monkeypatch):
    for cache in ("memory", str(tmp_path)):
        dataset = build(cache=cache)
        first = dataset[0]["img"]
        with monkeypatch.context() as patch:
            patch.setattr("mmpar.datasets.drawing.cache.draw_person", None)
            np.testing.assert_array_equal(dataset[0]["img"], first)


def test_transforms_do_not_change_what_memory_keeps():
    pipeline = [*DRAW, dict(type="Resize", scale=(64, 128))]
    dataset = build(cache="memory", pipeline=pipeline)
    first, second = dataset[0], dataset[0]
    np.testing.assert_array_equal(first["gt_keypoints"], second["gt_keypoints"])
    np.testing.assert_array_equal(first["gt_bboxes"], second["gt_bboxes"])


def test_damaged_files_are_drawn_again(tmp_path):
    dataset = build(cache=str(tmp_path))
    first = dataset[0]["img"]
    (path,) = files_in(tmp_path)
    whole = path.read_bytes()
    other = io.BytesIO()
    notes = PngInfo()
    notes.add_text("mmpar", "[]")
    Image.new("RGB", SMALL).save(other, "PNG", pnginfo=notes)
    for content in (b"", whole[: len(whole) // 2], b"no picture", other.getvalue()):
        path.write_bytes(content)
        assert read_person(path) is None
        np.testing.assert_array_equal(dataset[0]["img"], first)
        assert path.read_bytes() == whole


def test_seeds_and_sizes_do_not_share_files(tmp_path):
    for seed, size in ((0, SMALL), (1, SMALL), (0, (48, 96))):
        person = PersonSource(seed, size, str(tmp_path))(0)
        np.testing.assert_array_equal(person.image, draw_person(seed, 0, size).image)
    assert len(files_in(tmp_path)) == 3


def test_processes_may_share_a_folder(tmp_path):
    source = PersonSource(0, SMALL, str(tmp_path))
    with multiprocessing.get_context("fork").Pool(4) as pool:
        people = pool.map(source, [0, 1, 2] * 8, chunksize=1)
    for i, person in enumerate(people):
        np.testing.assert_array_equal(person.image, draw_person(0, i % 3, SMALL).image)
    assert [path.suffix for path in files_in(tmp_path)] == [".png"] * 3


def test_the_class_is_registered():
    assert DATASETS.get("SyntheticPAR") is SyntheticPAR
