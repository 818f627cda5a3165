"""What a result says of itself, in Python, as JSON and as an image."""

import json
import pickle
from functools import partial

import numpy as np
import pytest
from PIL import Image

from mmpar.structures.par_result import GroupAnswer, PARResult

SCORES = {"Hat": 0.25, "Bag": 0.75, "Age<16": 0.125, "Age16-60": 0.875}
AGE = GroupAnswer(best="Age16-60", score=0.875, margin=0.75, present=True)


def grey(value):
    return np.full((60, 20, 3), value, np.uint8)


def a_result(**fields):
    return PARResult(
        **{
            "scores": SCORES,
            "present": ("Bag", "Age16-60"),
            "groups": {"age": AGE},
            "img_path": "crops/1.jpg",
            "load_image": partial(grey, 90),
            **fields,
        }
    )


def test_its_dict_survives_json_and_has_every_field_but_maps():
    result = a_result(box=(1.0, 2.0, 3.0, 4.0), boxes={"Hat": (0.0, 0.0, 5.0, 5.0)})
    read = json.loads(result.to_json())
    assert read == result.to_dict()
    assert {*read} == {*PARResult.__dataclass_fields__} - {"maps", "load_image"}
    assert read["groups"] == {
        "age": dict(best="Age16-60", score=0.875, margin=0.75, present=True)
    }


def test_a_file_name_that_is_not_utf8_survives_json():
    name = b"crops/\xff\xe4.jpg".decode("utf-8", "surrogateescape")
    line = a_result(img_path=name).to_json()
    line.encode("ascii")
    assert json.loads(line)["img_path"] == name


def test_scores_that_are_no_numbers_are_no_json():
    with pytest.raises(ValueError, match="JSON"):
        a_result(scores={"Hat": float("nan")}).to_json()


def test_labels_are_sorted_by_score():
    labels = a_result().to_labels()
    assert [label["label"] for label in labels] == ["Age16-60", "Bag", "Hat", "Age<16"]
    assert labels[0] == dict(label="Age16-60", score=0.875)


def test_it_reads_like_an_answer():
    assert repr(a_result()) == (
        "PARResult(1.jpg, present: Bag 0.75, Age16-60 0.88; absent: 2 more)"
    )
    unsure = a_result(answers={"Hat": "not sure", "Bag": "yes"})
    assert "not sure: Hat; absent: 1 more" in repr(unsure)
    assert repr(PARResult(img_path="a/b.jpg", error="it is empty")) == (
        "PARResult(b.jpg, error: it is empty)"
    )


def test_it_can_be_sent_to_another_process():
    sent = pickle.loads(pickle.dumps(a_result()))
    assert sent == a_result()
    assert np.array_equal(sent.image, grey(90))


def test_the_drawing_has_the_crop_and_a_longer_bar_for_a_higher_score(tmp_path):
    a_result().save(tmp_path / "result.png")
    drawn = np.asarray(Image.open(tmp_path / "result.png").convert("RGB"))
    assert (drawn[:256, :85] == 90).all()
    green = (drawn == (0x11, 0x80, 0x33)).all(axis=2).sum()
    of_absent = (drawn == 0x99).all(axis=2).sum()
    assert green > 3 * of_absent > 0


def test_what_cannot_be_drawn_says_why(tmp_path):
    with pytest.raises(ValueError, match=r"b\.jpg has no answer to draw: it is empty"):
        PARResult(img_path="b.jpg", error="it is empty").plot()
    with pytest.raises(ValueError, match=r"result\.npy; write \.png"):
        a_result().save(tmp_path / "result.npy")
    with pytest.raises(ValueError, match=r"1\.jpg is not kept"):
        a_result(load_image=None).plot()
    assert [*tmp_path.iterdir()] == []
