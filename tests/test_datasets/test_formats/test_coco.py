"""COCO files: boxes of attributes, keypoints of people, found by image name."""

import json

import numpy as np
import pytest
from mmcv.transforms import Compose, RandomFlip, Resize

from mmpar.datasets import LoadAttributeBoxes
from mmpar.datasets.formats.coco import (
    COCOBoxes,
    ImageIndex,
    read_coco_keypoints,
    read_coco_persons,
)
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


def test_boxes_are_in_the_order_of_the_schema(tmp_path):
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
def test_images_are_found_by_the_end_of_their_path(tmp_path, path, row):
    assert COCOBoxes(written(tmp_path), SCHEMA).find(path) == row


@pytest.mark.parametrize(
    ("path", "row"),
    [("c.jpg", 0), ("y/c.jpg", 0), ("z/c.jpg", None), ("/data/z/y/c.jpg", None)],
)
def test_the_file_may_have_longer_paths_but_no_other_folders(tmp_path, path, row):
    images = [dict(id=3, file_name="x/y/c.jpg", width=9, height=9)]
    annotation = COCOBoxes(written(tmp_path, images=images, annotations=[]), SCHEMA)
    assert annotation.find(path) == row


def test_the_longest_name_that_a_path_ends_with_is_meant():
    names = ["a.jpg", "cam/a.jpg", "x/cam/a.jpg", "ä/b.jpg"]
    index = ImageIndex(names, "x.json")
    paths = ["a.jpg", "y/a.jpg", "/cam/a.jpg", "/x/cam/a.jpg", "b.jpg", "c.jpg", "jpg"]
    assert [index.find(path) for path in paths] == [0, 0, 1, 2, 3, None, None]
    assert index.first_repeated() is None
    assert ImageIndex([], "x.json").find("a.jpg") is None


def test_of_images_of_one_name_the_first_is_meant():
    index = ImageIndex([f"{i % 2}.jpg" for i in range(40)], "x.json")
    assert [index.find(name) for name in ("0.jpg", "1.jpg")] == [0, 1]


@pytest.mark.parametrize("repeated", ["a", "b", "c"])
def test_a_repeated_name_is_found_among_others(repeated):
    assert ImageIndex(["b", repeated, "a", "c"], "x.json").first_repeated() == repeated


def test_a_path_that_could_be_several_images_is_refused():
    index = ImageIndex([f"cam{i}/a.jpg" for i in range(4)], "x.json")
    match = (
        r"^x\.json: the image 'a\.jpg' could be any of \['cam0/a\.jpg', "
        r"'cam1/a\.jpg', 'cam2/a\.jpg'\]; give image names with their folders$"
    )
    with pytest.raises(ValueError, match=match):
        index.find("a.jpg")


@pytest.mark.parametrize("box", [[-0.5, 10, 21, 50.4], [-1, 10, 22, 51]])
def test_boxes_that_stick_out_by_up_to_a_pixel_are_clipped(tmp_path, box):
    path = written(tmp_path, annotations=with_box(box))
    found = boxes_of(COCOBoxes(path, SCHEMA), "b.jpg")
    assert found[2].tolist() == [0, 10, 20, 60]


@pytest.mark.parametrize("box", [[3, 4, 1, 1], [3, 4, 0.5, 0.25]])
def test_a_box_may_be_as_small_as_a_pixel_or_smaller(tmp_path, box):
    path = written(tmp_path, annotations=with_box(box))
    found = boxes_of(COCOBoxes(path, SCHEMA), "b.jpg")
    assert found[2].tolist() == [3, 4, 3 + box[2], 4 + box[3]]


def image_of_size(width, height):
    return [dict(id=3, file_name="a.jpg", width=width, height=height)]


@pytest.mark.parametrize(
    ("width", "height"), [(1, 2**31 - 1), (2**31 - 1, 1), (20.0, 7)]
)
def test_the_sides_of_images_are_whole_numbers_of_32_bits(tmp_path, width, height):
    images = image_of_size(width, height)
    found = COCOBoxes(written(tmp_path, images=images, annotations=[]), SCHEMA)
    assert found.sizes.tolist() == [[height, width]]


def test_a_file_may_list_no_images(tmp_path):
    found = COCOBoxes(written(tmp_path, images=[], annotations=[]), SCHEMA)
    assert found.sizes.shape == (0, 2)
    assert found.boxes.shape == (0, 3, 4)
    assert found.find("a.jpg") is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(categories=[dict(id=1, name="Cap")]), r"\['Cap'\].*'Hat'"),
        (dict(annotations=with_box([0, 0, 30, 10])), "20 wide and 60 high"),
        (dict(annotations=with_box([25, 0, 3, 3])), "20 wide and 60 high"),
        (dict(annotations=with_box([-1.25, 0, 5, 5])), "20 wide and 60 high"),
        (dict(annotations=with_box([0, 0, 0, 10])), "no area"),
        (dict(annotations=with_box([0, 0, 10, 0])), "no area"),
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
        (dict(images=None), "an object with 'images', a list"),
        (dict(images=[dict(id=3, file_name="a.jpg")], annotations=[]), "'height'"),
        (dict(images=image_of_size(0, 60)), "found 0 and 60"),
        (dict(images=image_of_size(20, 60.5)), "found 20 and 60.5"),
        (dict(images=image_of_size(2**31, 60)), "found 2147483648 and 60"),
        (dict(images=content()["images"][:1] * 2), "two images have the id 7"),
        (
            dict(categories=[dict(id=4, name="Hat"), dict(id=4, name="Boots")]),
            "two categories have the id 4",
        ),
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


PERSONS = dict(
    categories=[dict(id=3, name="car"), dict(id=1, name="person")],
    annotations=[
        dict(id=11, image_id=3, category_id=1, bbox=[4, 60, 8, 16], iscrowd=0),
        dict(id=12, image_id=3, category_id=3, bbox=[0, 0, 9, 9]),
        dict(id=13, image_id=5, category_id=1, bbox=[0, 0, 9, 9], iscrowd=1),
        dict(id=14, image_id=3, category_id=1, bbox=[-2, 0, 3, 5]),
    ],
)


def test_persons_are_found_by_image_with_the_ids_of_their_annotations(tmp_path):
    paths = ["x/b.jpg", "x/cam2/a.jpg", "x/c.jpg"]
    found = read_coco_persons(written(tmp_path, **PERSONS), paths)
    assert [boxes.tolist() for boxes in found.boxes] == [
        [],
        [[4, 60, 12, 76], [-2, 0, 1, 5]],
        [],
    ]
    assert found.ids == [[], [11, 14], []]
    crowds, silent = found.notes
    assert "left out 1 crowds" in crowds
    assert "does not list 1 of the 3 images" in silent


def test_persons_may_be_of_several_categories_of_that_name(tmp_path):
    categories = [dict(id=i, name=name) for i, name in ((3, "person"), (1, "person"))]
    path = written(tmp_path, **{**PERSONS, "categories": categories})
    assert read_coco_persons(path, ["cam2/a.jpg"]).ids == [[11, 12, 14]]


def test_of_a_file_that_is_used_in_full_nothing_is_said(tmp_path):
    changes = dict(PERSONS, annotations=PERSONS["annotations"][:1])
    paths = [image["file_name"] for image in content()["images"]]
    found = read_coco_persons(written(tmp_path, **changes), paths)
    assert found.ids == [[], [11], []]
    assert found.notes == []


@pytest.mark.parametrize(
    ("changes", "paths", "fault"),
    [
        (dict(categories=[dict(id=1, name="face")]), ["b.jpg"], "none has .*'person'"),
        ({}, [*"cdef"], r"lists none of the 4 images \['c', 'd', 'e'\]$"),
        ({}, [], "lists none of the 0 images"),
        ({}, ["a.jpg"], "'cam1/a.jpg' and 'cam2/a.jpg' may both be a.jpg"),
        (
            {},
            ["b.jpg", "c.jpg", "b.jpg"],
            "'b.jpg', to be found in .*boxes.json, is given twice",
        ),
        (
            dict(annotations=[dict(id="x", image_id=5, category_id=1, bbox=[0] * 4)]),
            ["b.jpg"],
            r"annotations\[0\]: .*'id', a whole number",
        ),
        (
            dict(annotations=[dict(id=1, image_id=5, category_id=1, bbox=[0] * 4)]),
            ["b.jpg"],
            "has no area",
        ),
    ],
)
def test_a_file_of_persons_that_does_not_fit_is_refused(
    tmp_path, changes, paths, fault
):
    with pytest.raises(ValueError, match=fault):
        read_coco_persons(written(tmp_path, **{**PERSONS, **changes}), paths)


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


def test_images_without_boxes_get_nan(tmp_path):
    found = LoadAttributeBoxes(written(tmp_path), SCHEMA)(sample("c.jpg", 9, 9))
    assert found["gt_bboxes"].shape == (3, 4)
    assert np.isnan(found["gt_bboxes"]).all()


def test_an_image_of_another_size_is_refused(tmp_path):
    load = LoadAttributeBoxes(written(tmp_path), SCHEMA)
    with pytest.raises(ValueError, match=r"b\.jpg.*20 wide.*60 high.*40 x 120"):
        load(sample("b.jpg", 120, 40))


def test_it_comes_after_the_image_is_loaded(tmp_path):
    load = LoadAttributeBoxes(written(tmp_path), SCHEMA)
    with pytest.raises(KeyError, match="ori_shape"):
        load(dict(img_path="b.jpg"))


# --- keypoints ------------------------------------------------------------------------

PATHS = ["train/1.jpg", "train/2.jpg", "val/1.jpg", "val/3.jpg"]


def person(value, score=1.0, spread=10.0, missing=0):
    """51 numbers: all at ``value``, but the nose ``spread`` pixels further.

    The last ``missing`` of them are far away, and their score is 0.
    """
    points = np.tile([value, value + 1.0, 0.5], (17, 1))
    points[0, :2] += spread
    points[17 - missing :] = (500, 500, 0)
    return dict(keypoints=points.ravel().tolist(), score=score)


def read(tmp_path, content, **kwargs):
    (tmp_path / "x.json").write_text(json.dumps(content))
    return read_coco_keypoints(tmp_path / "x.json", PATHS, **kwargs)


def firsts(found):
    """x of the second keypoint of each image, as COCO counts; NaN for nobody."""
    x = found.keypoints[:, 1, 0] - 0.5
    return np.where(found.keypoints[:, 1, 2] > 0, x, np.nan).tolist()


def test_results_with_names_find_their_images(tmp_path):
    content = [
        dict(person(4), image_id="val/3.jpg"),
        dict(person(5), file_name="train/1.jpg", image_id=7),
        dict(person(6), image_id="/data/set/val/1.jpg"),
        dict(person(7), image_id="2.jpg"),
        dict(person(8), image_id="/elsewhere/9.jpg"),
        dict(person(9), image_id="/elsewhere/9.jpg"),
    ]
    found = read(tmp_path, content)
    assert firsts(found) == [5, 7, 6, 4]
    assert found.unknown_images == ["/elsewhere/9.jpg"]
    assert found.keypoints.dtype == np.float32


def test_a_pixel_number_is_the_centre_of_its_pixel(tmp_path):
    found = read(tmp_path, [dict(person(4), image_id="2.jpg")])
    np.testing.assert_allclose(found.keypoints[1, 0], [14.5, 15.5, 1])
    np.testing.assert_allclose(found.keypoints[1, 1:], np.tile([4.5, 5.5, 1], (16, 1)))
    assert not found.keypoints[[0, 2, 3]].any()


@pytest.mark.parametrize("place", ["in the file", "beside it"])
def test_image_ids_are_resolved_by_a_list_of_images(tmp_path, place):
    images = [dict(id=10 + i, file_name=path) for i, path in enumerate(PATHS)]
    people = [dict(person(i), image_id=10 + i) for i in range(3)]
    if place == "in the file":
        found = read(tmp_path, dict(images=images, annotations=people))
    else:
        listed = tmp_path / "images.json"
        listed.write_text(json.dumps(dict(images=images)))
        found = read(tmp_path, people, images_file=listed)
    assert firsts(found)[:3] == [0, 1, 2]
    assert firsts(found)[3] != firsts(found)[3]  # nobody


def entry(value, spread=10.0, missing=0, **given):
    shape = person(value, spread=spread, missing=missing)
    return {**shape, "image_id": "2.jpg", **given}


@pytest.mark.parametrize(
    ("winner", "loser"),
    [
        (entry(1, score=0.9), entry(0, score=0.8)),
        (entry(1, bbox=[0, 0, 5, 5]), entry(0, bbox=[0, 0, 8, 3])),
        (entry(1, bbox=[0, 0, 5, 5, 0.5]), entry(0, bbox=[0, 0, 3, 8, 0.9])),
        (entry(1, area=50, score=0.2), entry(0, area=9, score=1.0)),
        (entry(1, score=0.3), entry(0, **person(0, score=0.8, spread=5.0))),
        (entry(1, area=9), entry(0, area=20, keypoints=[0] * 51)),
        (entry(1, score=None), entry(0, score=0.5)),
        (entry(1, area=15, score=0.9), entry(0, area=10, score=None)),
        (entry(1, spread=9.0), entry(0, spread=2.0, missing=5)),
    ],
)
def test_of_several_people_the_largest_and_surest_one_is_kept(tmp_path, winner, loser):
    for content in ([winner, loser], [loser, winner]):
        assert firsts(read(tmp_path, content))[1] == 1


def test_of_equal_people_the_first_is_kept(tmp_path):
    assert firsts(read(tmp_path, [entry(1), entry(0)]))[1] == 1


@pytest.mark.parametrize(
    "given", [dict(score=0), dict(area=0), dict(bbox=[1, 1, 0, 9])]
)
def test_a_person_of_no_weight_is_better_than_none(tmp_path, given):
    assert firsts(read(tmp_path, [entry(1, **given)]))[1] == 1


def test_keypoints_are_anywhere_within_single_precision(tmp_path):
    far = entry(4)
    far["keypoints"][3] = 2.0**31 - 1
    assert firsts(read(tmp_path, [far]))[1] == 2.0**31
    far["keypoints"][3] = -(2.0**31)
    with pytest.raises(ValueError, match="51 finite"):
        read(tmp_path, [far])


def test_hidden_and_visible_keypoints_of_an_annotation_are_usable(tmp_path):
    points = person(4)["keypoints"]
    points[2::3] = [0, 1, 2] * 5 + [0, 2]
    images = [dict(id=0, file_name="2.jpg")]
    labelled = [dict(keypoints=points, image_id=0)]
    content = dict(images=images, annotations=labelled)
    found = read(tmp_path, content, min_score=0.9)
    assert found.keypoints[1, :, 2].tolist() == [0, 1, 1] * 5 + [0, 1]
    assert not found.keypoints[1, ::3][:5].any()
    assert found.num_low_scores == 0


@pytest.mark.parametrize("min_score", [-0.1, 1.1, float("nan")])
def test_no_threshold_takes_hidden_keypoints_for_missing_ones(tmp_path, min_score):
    with pytest.raises(ValueError, match="min_score must be in"):
        read_coco_keypoints(tmp_path / "any.json", [], min_score=min_score)


def test_scores_are_thresholded_where_they_are_read(tmp_path):
    points, scores = person(4)["keypoints"], np.linspace(-0.2, 1.1, 17)
    points[2::3] = scores.tolist()
    content = [dict(keypoints=points, image_id="2.jpg")]
    for min_score in (0.0, 0.3, 1.0):
        found = read(tmp_path, content, min_score=min_score)
        usable = (scores > 0) & (scores >= min_score)
        assert found.keypoints[1, :, 2].tolist() == usable.tolist()
        assert not found.keypoints[1, ~usable].any()
        assert found.num_low_scores == (scores > 0).sum() - usable.sum()


def test_names_that_are_written_otherwise_are_of_one_image(tmp_path):
    people = [dict(person(0), image_id=name) for name in ("c/1.jpg", "c\\1.jpg")]
    path = tmp_path / "x.json"
    path.write_text(json.dumps(people))
    assert read_coco_keypoints(path, ["c/1.jpg"]).keypoints.any()
    with pytest.raises(ValueError, match=r"'c/1\.jpg'.* is given twice"):
        read_coco_keypoints(path, ["c/1.jpg"] * 2)


FAULTS = {
    "two images of one name": (
        dict(
            images=[dict(id=n, file_name="val/1.jpg") for n in (1, 2)],
            annotations=[dict(person(0), image_id=n) for n in (1, 2)],
        ),
        r"x\.json: two images have the file_name 'val/1\.jpg'",
    ),
    "a number for a name": ([dict(person(1), image_id=3)], r"image_id=3 .*--images"),
    "two images fit": (
        [dict(person(1), image_id="1.jpg")],
        r"x\.json: the image .* could be any of",
    ),
    "one image under two names": (
        [dict(person(0), image_id=f"{a}/val/1.jpg") for a in "xy"],
        r"x\.json: 'x/val/1\.jpg' and 'y/val/1\.jpg' may both be val/1\.jpg",
    ),
    "too few numbers": ([dict(keypoints=[1, 2], image_id="2.jpg")], "51 finite"),
    "no keypoints": ([dict(image_id="2.jpg", bbox=[0, 0, 1, 1])], "entry 0: 'keyp"),
    "words": ([dict(keypoints=["left"] * 51, image_id="2.jpg")], "found .'left', 'le"),
    "not a number": ([dict(keypoints=[None] * 51, image_id="2.jpg")], "51 finite"),
    "odd box": ([entry(1, bbox="left")], "entry 0: 'area' and 'score' are numbers"),
    "short box": ([entry(1, bbox=[0, 0, 9])], "entry 0: 'area' and 'score' are numbe"),
    "area of NaN": ([entry(1, area=np.nan)], "entry 0: 'area' and 'score' are number"),
    "two of one id": (
        dict(images=[dict(id=1, file_name="a.jpg")] * 2, annotations=[]),
        r"x\.json: two images have the id 1",
    ),
    "no people": (dict(images=[]), "neither a list of results nor"),
    "no images": (dict(annotations=[]), "an object with 'images', a list"),
    "a word": ("hello", "neither a list of results nor"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_file_is_an_error_that_says_what(tmp_path, fault):
    content, match = FAULTS[fault]
    with pytest.raises(ValueError, match=match):
        read(tmp_path, content)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (dict(images=[dict(id=1)]), ", COCO's 'images'.*file_name"),
        ([dict(id=1, file_name="2.jpg")], ": expected an object with 'images', a list"),
    ],
)
def test_a_faulty_list_of_images_is_named(tmp_path, content, match):
    listed = tmp_path / "images.json"
    listed.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=rf"/images\.json{match}"):
        read(tmp_path, [entry(1)], images_file=listed)


def test_a_file_that_is_not_there_or_not_json_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"x\.json"):
        read_coco_keypoints(tmp_path / "x.json", PATHS)
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(ValueError, match=r"x\.json is not JSON"):
        read_coco_keypoints(tmp_path / "x.json", PATHS)
