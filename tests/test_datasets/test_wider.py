"""WIDER-Attribute: boxes of persons in images of scenes, each a sample."""

import json

import mmcv
import numpy as np
import pytest
from mmengine.registry import init_default_scope

from mmpar.datasets import LoadPersonImage, WIDERAttribute
from mmpar.datasets.base import SampleError
from mmpar.datasets.doctor import check_dataset
from mmpar.datasets.preparing import prepare
from mmpar.datasets.wider import read_crops
from mmpar.structures import SCHEMAS
from tests.fixtures.wider import (
    Person,
    generated_persons,
    wider_json,
    write_wider_release,
)

TRAIN = generated_persons("train", 5, seed=1)
VAL = generated_persons("val", 3, seed=2)
TEST = generated_persons("test", 4, seed=3)
EXPECTED = {"train": TRAIN, "val": VAL, "test": TEST, "trainval": TRAIN + VAL}
LABEL = {1: 1, -1: 0, 0: -1}
ONE = Person("train/0--Scene/a.jpg", [1, 2, 3, 4], [1] * 14)


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    # The release mixes the images of train and val.
    mixed = VAL[:2] + TRAIN + VAL[2:]
    return write_wider_release(tmp_path_factory.mktemp("wider"), mixed, TEST)


def read_back(dataset):
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    return [(i["img_path"], i["bbox"].tolist(), i["gt_score"].tolist()) for i in infos]


@pytest.mark.parametrize("split", EXPECTED)
def test_each_box_of_a_split_is_a_sample_in_order(release, split):
    expected = [
        (
            f"{release}/Image/{person.image}",
            [x, y, x + width, y + height],
            [LABEL[value] for value in person.attribute],
        )
        for person in EXPECTED[split]
        for x, y, width, height in [person.box]
    ]
    assert read_back(WIDERAttribute(data_root=str(release), split=split)) == expected


def test_the_folder_of_the_archive_is_found(tmp_path):
    write_wider_release(tmp_path, TRAIN, TEST, folder="wider_attribute_annotation")
    assert len(WIDERAttribute(data_root=str(tmp_path), split="test")) == len(TEST)
    everything = WIDERAttribute(data_root=str(tmp_path), split="train", schema="all")
    assert everything.schema.names[4] == "Tshiirt"


def test_attributes_are_matched_by_the_files_own_numbers(tmp_path):
    names = list(reversed(WIDERAttribute(split="test", lazy_init=True).schema.names))
    id_map = {str(i): name for i, name in enumerate(names)}
    person = ONE._replace(attribute=[1] + [-1] * 13)
    write_wider_release(tmp_path, [person], attribute_id_map=id_map)
    dataset = WIDERAttribute(data_root=str(tmp_path), split="train")
    assert dataset.get_labels().tolist() == [[0] * 13 + [1]]


def test_the_pipeline_cuts_the_person_out(release):
    init_default_scope("mmpar")
    pipeline = [dict(type="LoadPersonImage"), dict(type="PackPARInputs")]
    dataset = WIDERAttribute(data_root=str(release), split="test", pipeline=pipeline)
    for row, person in enumerate(TEST):
        packed = dataset[row]
        whole = mmcv.imread(f"{release}/Image/{person.image}")
        x, y, width, height = person.box
        expected = whole[y : min(y + height, 50), x : min(x + width, 60)]
        found = packed["inputs"].numpy().transpose(1, 2, 0)
        np.testing.assert_array_equal(found, expected)
        assert packed["data_samples"].img_shape == expected.shape[:2]


@pytest.mark.parametrize(
    "box", [(-5, -7.5, 9.2, 11), (40.9, 30, 99, 99), (10.2, 3.9, 10.4, 4.1)]
)
def test_a_box_is_clipped_and_keeps_the_pixels_at_its_edge(release, box):
    path = f"{release}/Image/{TEST[0].image}"
    found = LoadPersonImage().transform(dict(img_path=path, bbox=box))
    whole = mmcv.imread(path)
    inside = [
        (row, column)
        for row in range(50)
        for column in range(60)
        # The pixel covers a part of the box.
        if max(box[0], column) < min(box[2], column + 1)
        and max(box[1], row) < min(box[3], row + 1)
    ]
    rows = [row for row, _ in inside]
    columns = [column for _, column in inside]
    expected = whole[min(rows) : max(rows) + 1, min(columns) : max(columns) + 1]
    np.testing.assert_array_equal(found["img"], expected)
    assert found["img_shape"] == found["ori_shape"] == expected.shape[:2]


@pytest.mark.parametrize("box", [(60, 0, 70, 10), (0, -9, 5, 0)])
def test_a_box_outside_names_the_image_and_its_size(tmp_path, box):
    x0, y0, x1, y1 = box
    person = ONE._replace(box=[x0, y0, x1 - x0, y1 - y0])
    write_wider_release(tmp_path, [person])
    init_default_scope("mmpar")
    dataset = WIDERAttribute(
        data_root=str(tmp_path), split="train", pipeline=[dict(type="LoadPersonImage")]
    )
    with pytest.raises(SampleError, match=r"person box .* outside .*a\.jpg.* 60 x 50"):
        dataset[0]


def test_keypoints_of_whole_images_are_refused(release):
    with pytest.raises(ValueError, match=r"bbox.*keypoints='k\.npy'.*keypoints=None"):
        WIDERAttribute(data_root=str(release), split="test", keypoints="k.npy")


def test_a_prepared_annotation_gives_the_same_samples(release, tmp_path):
    root = dict(data_root=str(release))
    file = prepare(WIDERAttribute, [0], str(tmp_path), **root)
    for split in EXPECTED:
        prepared = WIDERAttribute(ann_file=str(file), split=split, **root)
        own = WIDERAttribute(split=split, **root)
        assert read_back(prepared) == read_back(own)
        boxes = [d.table.columns["bbox"].dtype for d in (prepared, own)]
        assert boxes[0] == boxes[1]


def test_the_doctor_takes_several_persons_of_an_image_as_right(release):
    def findings(split):
        found = check_dataset({"test": split}).issues
        return [finding for finding in found if finding.check == "listed twice"]

    dataset = WIDERAttribute(data_root=str(release), split="test")
    assert len({p.image for p in TEST}) < len(TEST)
    assert findings(dataset) == []
    twice = dataset.get_subset([0, 1, 2, 2])
    assert [f.message for f in findings(twice)] == ["1 images"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(attribute=[1] * 13), r"targets\[0\]: 'attribute' .* expected 14 numbers"),
        (dict(attribute=["1"] * 14), "expected 14 numbers"),
        (dict(attribute=[2] + [1] * 13), r"a\.jpg.*'Male' has the label 2"),
        (dict(box=[1, 2, 3]), r"'bbox' is \[1, 2, 3\], expected 4 numbers"),
        (dict(box=[1, 2, 0, 4]), "no area"),
        (dict(image="other/0--Scene/a.jpg"), "does not begin with the folder"),
    ],
)
def test_a_faulty_target_is_named(tmp_path, change, message):
    write_wider_release(tmp_path, [ONE._replace(**change)])
    with pytest.raises(ValueError, match=message) as error:
        WIDERAttribute(data_root=str(tmp_path), split="train")
    assert "wider_attribute_trainval.json" in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "an object with 'attribute_id_map', an object; found \\[\\]"),
        (json.dumps(wider_json([ONE], images=None)), "'images', a list; found None"),
        (
            json.dumps(wider_json([ONE], images=[{}])),
            r"images\[0\]: .*'file_name', text; found \{\}",
        ),
        (
            json.dumps(wider_json([ONE], attribute_id_map={"1": "Male"})),
            "expected the numbers from '0' to '0'",
        ),
        (json.dumps(wider_json([])), r"has the splits \[\], got split='train'"),
    ],
)
def test_a_faulty_file_is_named(tmp_path, content, message):
    write_wider_release(tmp_path, [ONE])
    file = tmp_path / "wider_attribute_trainval.json"
    file.write_text(content)
    with pytest.raises(ValueError, match=message) as error:
        WIDERAttribute(data_root=str(tmp_path), split="train")
    assert str(file) in str(error.value)


def test_other_endings_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"x\.mat: WIDERAttribute is read from"):
        WIDERAttribute(ann_file=str(tmp_path / "x.mat"), split="train")


def test_crops_with_labels_as_pandas_writes_them_are_read(tmp_path):
    names = SCHEMAS["wider"].names
    (tmp_path / "attr_name.txt").write_text("\n".join(names))
    (tmp_path / "trainval_name.txt").write_text("a.jpg\n")
    file = tmp_path / "trainval_gt_label.txt"
    file.write_text(str([1.0, -1.0, 0.0] + [1] * 11))
    release = read_crops(str(file), "trainval")
    assert release.labels.tolist() == [[1, -1, 0] + [1] * 11]
    for odd in ("x" + ", 1" * 14, "1, " * 15, "9" * 400 + ", x" * 13):
        file.write_text(odd)
        with pytest.raises(ValueError, match=r"trainval_gt_label\.txt, line 1: found"):
            read_crops(str(file), "trainval")
