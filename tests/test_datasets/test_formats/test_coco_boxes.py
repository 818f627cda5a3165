"""Attribute boxes of a COCO file: found by name, moved with the picture, checked."""

import json

import numpy as np
import pytest
from mmcv.transforms import Compose, RandomFlip, Resize

from mmpar.datasets import LoadAttributeBoxes
from mmpar.datasets.formats.coco_boxes import COCOBoxes
from mmpar.structures import AttributeSchema

SCHEMA = AttributeSchema(names=("Hat", "Boots", "Coat"), groups={})


def content():
    return dict(
        images=[
            dict(id=7, file_name="cam1/a.jpg", width=40, height=80),
            dict(id=3, file_name="cam2/a.jpg", width=40, height=80),
            dict(id=5, file_name="b.jpg", width=20, height=60),
        ],
        categories=[dict(id=1, name="Coat"), dict(id=4, name="Boots")],
        annotations=[
            dict(image_id=3, category_id=4, bbox=[4, 60, 8, 16]),
            dict(image_id=3, category_id=4, bbox=[20, 64, 10, 14]),
            dict(image_id=5, category_id=1, bbox=[2.5, 10, 15, 30]),
        ],
    )


def written(folder, **changes):
    path = folder / "boxes.json"
    path.write_text(json.dumps({**content(), **changes}))
    return str(path)


def with_box(box):
    return [dict(image_id=5, category_id=1, bbox=box)]


def boxes_of(annotation, path):
    row = annotation.find(path)
    return None if row is None else annotation.boxes[row]


def test_boxes_lie_in_the_order_of_the_schema(tmp_path):
    found = boxes_of(COCOBoxes(written(tmp_path), SCHEMA), "/data/b.jpg")
    expected = [[np.nan] * 4, [np.nan] * 4, [2.5, 10, 17.5, 40]]
    np.testing.assert_array_equal(found, expected)


def test_a_category_is_found_by_a_decomposed_name(tmp_path):
    categories = [dict(id=1, name="Mu\u0308tze"), dict(id=4, name="Boots")]
    schema = AttributeSchema(("Boots", "M\u00fctze"))
    found = boxes_of(
        COCOBoxes(written(tmp_path, categories=categories), schema), "b.jpg"
    )
    assert found[1].tolist() == [2.5, 10, 17.5, 40]


def test_boxes_of_one_attribute_become_the_box_around_them(tmp_path):
    found = boxes_of(COCOBoxes(written(tmp_path), SCHEMA), "data/cam2/a.jpg")
    assert found[1].tolist() == [4, 60, 30, 78]


@pytest.mark.parametrize(
    ("path", "row"),
    [
        ("cam1/a.jpg", 0),
        ("/root/cam2/a.jpg", 1),
        ("\\root\\cam2\\a.jpg", 1),
        ("cam3/a.jpg", None),
        ("elsewhere/b.jpg", 2),
        ("xb.jpg", None),
    ],
)
def test_pictures_are_found_by_the_end_of_their_path(tmp_path, path, row):
    assert COCOBoxes(written(tmp_path), SCHEMA).find(path) == row


@pytest.mark.parametrize(
    ("path", "row"),
    [("c.jpg", 0), ("y/c.jpg", 0), ("z/c.jpg", None), ("/data/z/y/c.jpg", None)],
)
def test_the_file_may_have_longer_paths_but_no_other_folders(tmp_path, path, row):
    images = [dict(id=3, file_name="x/y/c.jpg", width=9, height=9)]
    annotation = COCOBoxes(written(tmp_path, images=images, annotations=[]), SCHEMA)
    assert annotation.find(path) == row


def test_a_path_that_could_be_two_pictures_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"'a\.jpg' could be .*cam1/a.*cam2/a"):
        COCOBoxes(written(tmp_path), SCHEMA).find("a.jpg")


def test_boxes_that_stick_out_by_a_rounding_are_clipped(tmp_path):
    path = written(tmp_path, annotations=with_box([-0.5, 10, 21, 50.4]))
    found = boxes_of(COCOBoxes(path, SCHEMA), "b.jpg")
    assert found[2].tolist() == [0, 10, 20, 60]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(categories=[dict(id=1, name="Cap")]), r"\['Cap'\].*'Hat'"),
        (dict(annotations=with_box([0, 0, 30, 10])), "20 wide and 60 high"),
        (dict(annotations=with_box([25, 0, 3, 3])), "20 wide and 60 high"),
        (dict(annotations=with_box([0, 0, 0, 10])), "no area"),
        (dict(annotations=with_box([0, 0, float("nan"), 10])), "expected 4 numbers"),
        (dict(annotations=with_box([0, 0, 5])), r"annotations\[0\].*\[0, 0, 5\]"),
        (
            dict(annotations=[dict(image_id=9, category_id=1, bbox=[0, 0, 1, 1])]),
            "image_id 9 is not among the ids of images",
        ),
        (
            dict(annotations=[dict(image_id=5, category_id=9, bbox=[0, 0, 1, 1])]),
            "category_id 9 is not among the ids of categories",
        ),
        (dict(annotations=[dict(image_id=5, category_id=1)]), "'bbox'"),
        (dict(images=None), "'images' is missing or is no list"),
        (dict(images=[dict(id=3, file_name="a.jpg")], annotations=[]), "'height'"),
        (dict(images=content()["images"][:1] * 2 + [], annotations=[]), "id 7"),
    ],
)
def test_faulty_files_say_what_is_wrong(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        COCOBoxes(written(tmp_path, **changes), SCHEMA)


def test_two_images_of_one_name_are_refused(tmp_path):
    images = [dict(id=i, file_name="a.jpg", width=9, height=9) for i in (1, 2)]
    with pytest.raises(ValueError, match=r"file_name 'a\.jpg'"):
        COCOBoxes(written(tmp_path, images=images, annotations=[]), SCHEMA)


def test_a_missing_file_and_other_text_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing"):
        COCOBoxes(str(tmp_path / "nothing.json"), SCHEMA)
    (tmp_path / "boxes.json").write_text("boxes")
    with pytest.raises(ValueError, match="is not JSON"):
        COCOBoxes(str(tmp_path / "boxes.json"), SCHEMA)


def sample(path, height, width):
    image = np.zeros((height, width, 3), np.uint8)
    return dict(
        img_path=path, img=image, img_shape=(height, width), ori_shape=(height, width)
    )


def test_resize_and_flip_move_boxes_and_keep_what_is_missing(tmp_path):
    pipeline = Compose(
        [
            LoadAttributeBoxes(written(tmp_path), SCHEMA),
            Resize(scale=(40, 60)),
            RandomFlip(prob=1.0),
        ]
    )
    found = pipeline(sample("b.jpg", 60, 20))["gt_bboxes"]
    assert np.isnan(found[:2]).all()
    assert found[2].tolist() == [5, 10, 35, 40]  # twice as wide, then mirrored


def test_the_boxes_of_the_file_are_not_changed_by_the_pipeline(tmp_path):
    load = LoadAttributeBoxes(written(tmp_path), SCHEMA)
    load(sample("b.jpg", 60, 20))["gt_bboxes"][:] = 0
    assert load(sample("b.jpg", 60, 20))["gt_bboxes"][2].tolist() == [2.5, 10, 17.5, 40]


def test_pictures_without_boxes_get_nan(tmp_path):
    found = LoadAttributeBoxes(written(tmp_path), SCHEMA)(sample("c.jpg", 9, 9))
    assert found["gt_bboxes"].shape == (3, 4)
    assert np.isnan(found["gt_bboxes"]).all()


def test_a_picture_of_another_size_is_refused(tmp_path):
    load = LoadAttributeBoxes(written(tmp_path), SCHEMA)
    with pytest.raises(ValueError, match=r"b\.jpg.*20 wide.*60 high.*40 x 120"):
        load(sample("b.jpg", 120, 40))


def test_it_stands_after_the_picture_is_loaded(tmp_path):
    load = LoadAttributeBoxes(written(tmp_path), SCHEMA)
    with pytest.raises(KeyError, match="ori_shape"):
        load(dict(img_path="b.jpg"))
