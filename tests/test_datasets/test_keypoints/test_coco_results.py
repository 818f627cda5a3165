"""A detector's JSON gives each picture its main person."""

import json

import numpy as np
import pytest

from mmpar.datasets.keypoints import read_coco_keypoints

PATHS = ["train/1.jpg", "train/2.jpg", "val/1.jpg", "val/3.jpg"]


def person(value, score=1.0, spread=10.0):
    """51 numbers: all at ``value``, but the nose ``spread`` pixels further."""
    points = np.tile([value, value + 1.0, 0.5], (17, 1))
    points[0, :2] += spread
    return dict(keypoints=points.ravel().tolist(), score=score)


def read(tmp_path, content, **kwargs):
    (tmp_path / "x.json").write_text(json.dumps(content))
    return read_coco_keypoints(tmp_path / "x.json", PATHS, **kwargs)


def firsts(found):
    """x of the second keypoint of each picture, as COCO counts; NaN for nobody."""
    x = found.values[:, 1, 0] - 0.5
    return np.where(found.values[:, 1, 2] > 0, x, np.nan).tolist()


def test_results_with_names_find_their_pictures(tmp_path):
    content = [
        dict(person(4), image_id="val/3.jpg"),
        dict(person(5), file_name="train/1.jpg", image_id=7),
        dict(person(6), image_id="val/1.jpg"),
        dict(person(7), image_id="2.jpg"),
        dict(person(8), image_id="/elsewhere/9.jpg"),
        dict(person(9), image_id="/elsewhere/9.jpg"),
    ]
    found = read(tmp_path, content)
    assert firsts(found) == [5, 7, 6, 4]
    assert found.unknown == ["/elsewhere/9.jpg"]
    assert found.without == 0
    assert found.values.dtype == np.float32


def test_a_pixel_number_is_the_centre_of_its_pixel(tmp_path):
    found = read(tmp_path, [dict(person(4), image_id="2.jpg")])
    np.testing.assert_allclose(found.values[1, 0], [14.5, 15.5, 0.5])
    np.testing.assert_allclose(found.values[1, 1:], np.tile([4.5, 5.5, 0.5], (16, 1)))
    assert found.without == 3
    assert not found.values[[0, 2, 3]].any()


def test_a_longer_name_ends_in_the_listed_one(tmp_path):
    found = read(tmp_path, [dict(person(4), image_id="/data/set/val/1.jpg")])
    assert [i for i, x in enumerate(firsts(found)) if x == x] == [2]


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
    assert found.without == 1


def entry(value, **given):
    return {**person(value), "image_id": "2.jpg", **given}


@pytest.mark.parametrize(
    ("winner", "loser"),
    [
        (entry(1, score=0.9), entry(0, score=0.8)),
        (entry(1, bbox=[0, 0, 9, 9]), entry(0, bbox=[0, 0, 3, 9])),
        (entry(1, area=50, score=0.2), entry(0, area=9, score=1.0)),
        (entry(1, score=0.3), entry(0, **person(0, score=0.8, spread=5.0))),
        (entry(1, area=9), entry(0, area=20, keypoints=[0] * 51)),
        (entry(1, score=None), entry(0, score=0.5)),
    ],
)
def test_of_several_people_the_largest_and_surest_one_is_kept(tmp_path, winner, loser):
    for content in ([winner, loser], [loser, winner]):
        assert firsts(read(tmp_path, content))[1] == 1


def test_labelled_visibility_becomes_a_half_or_one(tmp_path):
    points = person(4)["keypoints"]
    points[2::3] = [0, 1, 2] * 5 + [0, 2]
    images = [dict(id=0, file_name="2.jpg")]
    labelled = [dict(keypoints=points, image_id=0)]
    found = read(tmp_path, dict(images=images, annotations=labelled)).values[1]
    assert found[:, 2].tolist() == [0, 0.5, 1] * 5 + [0, 1]
    assert not found[found[:, 2] == 0].any()


def test_scores_stay_in_range(tmp_path):
    points = person(4)["keypoints"]
    points[2::3] = np.linspace(-0.2, 1.1, 17).tolist()
    found = read(tmp_path, [dict(keypoints=points, image_id="2.jpg")]).values[1]
    np.testing.assert_allclose(found[:, 2], np.linspace(-0.2, 1.1, 17).clip(0, 1))


# --- errors ---------------------------------------------------------------------------

FAULTS = {
    "a number for a name": ([dict(person(1), image_id=3)], r"image_id=3 .*--images"),
    "two pictures fit": ([dict(person(1), image_id="1.jpg")], "could mean"),
    "too few numbers": ([dict(keypoints=[1, 2], image_id="2.jpg")], "51 finite"),
    "no keypoints": ([dict(image_id="2.jpg", bbox=[0, 0, 1, 1])], "entry 0: 'keyp"),
    "not a number": ([dict(keypoints=[None] * 51, image_id="2.jpg")], "51 finite"),
    "odd box": ([entry(1, bbox="left")], "entry 0: 'area' and 'score' are numbers"),
    "no people": (dict(images=[]), "neither a list of results nor"),
    "no images": (dict(annotations=[]), "an object with 'images', a list"),
    "a word": ("hello", "neither a list of results nor"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_file_is_an_error_that_says_what(tmp_path, fault):
    content, match = FAULTS[fault]
    with pytest.raises(ValueError, match=match):
        read(tmp_path, content)


def test_a_file_that_is_not_there_or_not_json_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"x\.json"):
        read_coco_keypoints(tmp_path / "x.json", PATHS)
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(ValueError, match=r"x\.json is not JSON"):
        read_coco_keypoints(tmp_path / "x.json", PATHS)
