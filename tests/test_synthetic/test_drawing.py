"""Drawn people: the same for the same numbers, plausible, with true places."""

import itertools
import subprocess
import sys
import zlib

import numpy as np
import pytest

from mmpar.structures import COCO_KEYPOINTS as KEYPOINTS
from mmpar.structures import build_schema
from mmpar.structures.schemas.pa100k import PA100K
from mmpar.synthetic import draw_person, labels_of_person
from mmpar.synthetic.labels import (
    NAMES,
    labels_of,
    present_in,
)
from mmpar.synthetic.person import draw_labelled_person

ARRAYS = ("image", "labels", "attribute_boxes", "keypoints", "person_box")
EXACTLY_ONE, AT_MOST_ONE = PA100K.exclusive[:4], PA100K.exclusive[4:]
WHOLE_BODY = ("Female", *EXACTLY_ONE[0], *EXACTLY_ONE[1])
SIZE = (96, 192)


@pytest.fixture(scope="module")
def labels():
    return np.stack([labels_of_person(0, i) for i in range(2000)])


@pytest.fixture(scope="module")
def people():
    return [draw_person(1, i) for i in range(60)]


def assert_same(one, other):
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


# --- repeatability --------------------------------------------------------------------


def test_the_order_of_drawing_does_not_matter(people):
    for i in (7, 59, 0, 7):
        assert_same(draw_person(1, i), people[i])


def test_seed_and_index_make_the_person():
    images = [draw_person(*n).image.tobytes() for n in ((0, 0), (0, 1), (1, 0))]
    assert len(set(images)) == 3


def test_another_process_draws_the_same(people):
    code = (
        "import zlib; from mmpar.synthetic import draw_person; "
        "print([zlib.crc32(draw_person(1, i).image.tobytes()) for i in (3, 4)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    ours = [zlib.crc32(people[i].image.tobytes()) for i in (3, 4)]
    assert done.stdout.strip() == str(ours)


@pytest.mark.parametrize("size", [(64, 128), (192, 256), (50, 111)])
def test_another_size_shows_the_same_person(people, size):
    for i in range(5):
        person = draw_person(1, i, size)
        assert person.image.shape == (size[1], size[0], 3)
        assert (person.labels == people[i].labels).all()
        ours = person.keypoints[:, 1] / size[1]
        inside = (person.keypoints[:, 2] > 0) & (people[i].keypoints[:, 2] > 0)
        theirs = people[i].keypoints[:, 1] / SIZE[1]
        assert inside.sum() > 8
        assert np.abs(ours - theirs)[inside].max() < 0.02


@pytest.mark.parametrize(
    ("arguments", "word"),
    [((-1, 0), "seed=-1"), ((0, -2), "index=-2"), ((0, 0, (8, 128)), "(8, 128)")],
)
def test_impossible_arguments_are_named(arguments, word):
    with pytest.raises(ValueError, match=r"not negative|at least") as error:
        draw_person(*arguments)
    assert word in str(error.value)


# --- labels ---------------------------------------------------------------------------


def test_labels_are_in_the_order_of_the_schema():
    assert build_schema("pa100k").names == NAMES
    labels = labels_of({"Female", "boots"})
    assert np.flatnonzero(labels).tolist() == [0, 25]


def test_labels_need_no_drawing(people, labels):
    for i, person in enumerate(people):
        assert (person.labels == labels_of_person(1, i)).all()
    assert labels.dtype == np.int8
    assert set(np.unique(labels)) == {0, 1}


@pytest.mark.parametrize("group", EXACTLY_ONE)
def test_of_these_a_person_has_exactly_one(labels, group):
    columns = [NAMES.index(name) for name in group]
    assert (labels[:, columns].sum(axis=1) == 1).all()


@pytest.mark.parametrize("group", [*AT_MOST_ONE, ("HandBag", "HoldObjectsInFront")])
def test_of_these_a_person_has_at_most_one(labels, group):
    columns = [NAMES.index(name) for name in group]
    assert (labels[:, columns].sum(axis=1) <= 1).all()


def test_no_attribute_is_too_rare_or_too_common(labels):
    rates = labels.mean(axis=0)
    outside = [n for n, rate in zip(NAMES, rates) if not 0.05 <= rate <= 0.72]
    assert outside == []


def test_what_cannot_be_seen_is_not_claimed(labels):
    has = dict(zip(NAMES, labels.T == 1))
    assert not (has["Back"] & has["Glasses"]).any()
    assert not (has["Back"] & has["Backpack"] & has["UpperLogo"]).any()
    assert not (has["LongCoat"] & has["ShortSleeve"]).any()
    assert not (~has["Female"] & has["Skirt&Dress"]).any()


# --- places ---------------------------------------------------------------------------


def test_images_are_uint8_and_varied(people):
    for person in people:
        assert person.image.shape == (192, 96, 3)
        assert person.image.dtype == np.uint8
        assert person.image.std() > 8


def test_boxes_lie_in_the_image(people):
    for person in people:
        boxes = person.attribute_boxes[~np.isnan(person.attribute_boxes[:, 0])]
        assert boxes.dtype == np.float32
        assert (boxes[:, :2] >= 0).all()
        assert (boxes[:, 2:] <= SIZE).all()
        assert (boxes[:, 2:] > boxes[:, :2]).all()


def test_absent_attributes_have_no_box(people):
    for person in people:
        nan = np.isnan(person.attribute_boxes)
        assert (nan.all(axis=1) == nan.any(axis=1)).all()
        assert nan[person.labels == 0].all()


def test_nearly_every_attribute_present_is_seen():
    """Hidden ones have no box: they are few, of any attribute."""
    present, seen = np.zeros(len(NAMES)), np.zeros(len(NAMES))
    for i in range(250):
        person = draw_person(2, i, (32, 64))
        present += person.labels == 1
        seen += ~np.isnan(person.attribute_boxes[:, 0])
    assert (present >= 10).all()
    unseen = {n: s / p for n, s, p in zip(NAMES, seen, present) if s / p < 0.85}
    assert unseen == {}


def test_age_gender_and_view_have_the_box_of_the_person(people):
    for person in people:
        for name in WHOLE_BODY:
            i = NAMES.index(name)
            if person.labels[i]:
                box = person.attribute_boxes[i]
                np.testing.assert_array_equal(box, person.person_box)


def test_boxes_follow_the_body_from_top_to_bottom(people):
    def middles(name):
        boxes = [p.attribute_boxes[NAMES.index(name)] for p in people]
        heights = [p.person_box[[1, 3]] for p in people]
        pairs = [(b, h) for b, h in zip(boxes, heights) if not np.isnan(b[0])]
        assert len(pairs) > 2
        return np.mean([((b[1] + b[3]) / 2 - h[0]) / (h[1] - h[0]) for b, h in pairs])

    order = [
        ("Hat",),
        ("Glasses",),
        ("UpperLogo",),
        ("LongSleeve", "ShortSleeve"),
        ("Shorts", "Skirt&Dress"),
        ("boots",),
    ]
    rows = [np.mean([middles(name) for name in names]) for names in order]
    assert rows == sorted(rows)


def test_keypoints_stand_as_in_a_body(people):
    index = {name: i for i, name in enumerate(KEYPOINTS)}
    for person in people:
        points = person.keypoints
        assert points.shape == (17, 3)
        assert set(np.unique(points[:, 2])) <= {0, 1, 2}
        assert (points[points[:, 2] == 0] == 0).all()
        rows = {name: points[i, 1] for name, i in index.items() if points[i, 2] > 0}
        for side in ("left", "right"):
            chain = ["nose"] + [
                f"{side}_{joint}" for joint in ("shoulder", "hip", "knee", "ankle")
            ]
            heights = [rows[name] for name in chain if name in rows]
            assert heights == sorted(heights)


def test_left_and_right_follow_the_view(people):
    left, right = KEYPOINTS.index("left_shoulder"), KEYPOINTS.index("right_shoulder")
    for person in people:
        gap = person.keypoints[left, 0] - person.keypoints[right, 0]
        present = present_in(person.labels)
        if "Side" not in present:
            assert (gap > 0) == ("Front" in present)


def test_faces_are_seen_from_the_front_only():
    nose = KEYPOINTS.index("nose")
    seen = {"Front": [], "Back": []}
    for i in range(60):
        person = draw_person(3, i, (48, 96))
        for view, found in seen.items():
            if view in present_in(person.labels):
                found.append(person.keypoints[nose, 2] == 2)
    assert np.mean(seen["Front"]) > 0.9
    assert not any(seen["Back"])


# --- every attribute is drawn ---------------------------------------------------------


def without(present, name):
    """The same attributes but one; another of its group takes its place if one must."""
    for group in EXACTLY_ONE:
        if name in group:
            return (present - {name}) | {next(n for n in group if n != name)}
    return present - {name}


def changes(name, count=8):
    """Mean change of the grey level inside and outside the box of an attribute."""
    inside, outside = [], []
    for index in itertools.count():
        if len(inside) == count:
            break
        present = present_in(labels_of_person(5, index))
        if name not in present:
            continue
        person = draw_labelled_person(5, index, labels_of(present), SIZE)
        box = person.attribute_boxes[NAMES.index(name)]
        if np.isnan(box[0]):
            continue
        other = draw_labelled_person(5, index, labels_of(without(present, name)), SIZE)
        change = np.abs(person.image.astype(float) - other.image).mean(axis=2)
        x0, y0, x1, y1 = np.round(box).astype(int)
        within = np.zeros(change.shape, bool)
        within[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)] = True
        inside.append(change[within].mean())
        outside.append(change[~within].mean())
    return np.mean(inside), np.mean(outside)


@pytest.mark.parametrize("name", NAMES)
def test_every_attribute_is_drawn_in_its_box(name):
    inside, outside = changes(name)
    assert inside > 5
    assert inside > 4 * outside
