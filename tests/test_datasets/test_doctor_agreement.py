"""Two datasets of the same images are compared by what their labels imply."""

import csv

import cv2
import numpy as np
import pytest

from mmpar.datasets import AttributeListDataset
from mmpar.datasets.doctor import check_dataset
from mmpar.datasets.doctor.report import html_report
from mmpar.evaluation.functional import cohen_kappa
from tests.test_tools.run import call_tool

ONE = {
    "Female": "gender: female",
    "Bag": "carrying: backpack, handbag",
    "Hat": "accessory: hat",
}
OTHER = {
    "man": "gender: male",
    "pack": "carrying: backpack",
    "hand": "carrying: handbag",
    "tall": None,
}
NUMBER = 12


def write_dataset(folder, meanings, labels, images, ending="png"):
    folder.mkdir()
    rows = [["path", *meanings]]
    for (name, image), row in zip(images.items(), labels):
        cv2.imwrite(str(folder / f"{name}.{ending}"), image)
        rows.append([f"{name}.{ending}", *row])
    with (folder / "all.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    known = {name: meaning for name, meaning in meanings.items() if meaning}
    schema = dict(names=[*meanings], title=folder.name, meanings=known)
    return AttributeListDataset(
        data_root=str(folder), ann_file="all.csv", schema=schema
    )


def persons(seed=0):
    rng = np.random.default_rng(seed)
    return {f"p{i}": rng.integers(0, 256, (40, 20, 3), np.uint8) for i in range(NUMBER)}


@pytest.fixture
def labels():
    rng = np.random.default_rng(1)
    one = np.stack([[i % 2, i // 2 % 2, i // 4 % 2] for i in range(NUMBER)])
    pack = one[:, 1] * rng.integers(0, 2, NUMBER)
    hand = one[:, 1] - pack
    return one, np.stack([1 - one[:, 0], pack, hand, 0 * pack], axis=1)


def compare(tmp_path, one, other, theirs=None):
    images = persons()
    ours = write_dataset(tmp_path / "one", ONE, one, images)
    others = write_dataset(tmp_path / "other", OTHER, other, theirs or images, "jpg")
    return check_dataset(dict(all=ours), against=dict(all=others))


def found(report):
    return {one.attribute: one for one in report.comparison.agreements}


def test_labels_that_agree_do_wholly(tmp_path, labels):
    report = compare(tmp_path, *labels)
    assert report.comparison.images == NUMBER
    assert report.comparison.differing == ()
    assert set(found(report)) == {"Female", "Bag"}
    for one in found(report).values():
        assert (one.compared, one.agreeing, one.kappa) == (NUMBER, NUMBER, 1)
    assert "other dataset" not in {issue.check for issue in report.issues}


def test_planted_contradictions_are_found_by_image(tmp_path, labels):
    one, other = labels
    other[3, 0] = 1 - other[3, 0]
    other[5] = -1
    one[6, 1] = -1
    report = compare(tmp_path, one, other)
    female, bag = found(report)["Female"], found(report)["Bag"]
    assert [path[-6:] for path in female.contradictions] == ["p3.png"]
    assert (female.compared, female.agreeing) == (NUMBER - 1, NUMBER - 2)
    rows = [row for row in range(NUMBER) if row != 5]
    expected = cohen_kappa(one[rows, 0] == 1, other[rows, 0] == 0)
    assert female.kappa == pytest.approx(expected)
    assert (bag.compared, bag.agreeing) == (NUMBER - 2, NUMBER - 2)
    (issue,) = [issue for issue in report.faults if issue.check == "other dataset"]
    assert issue.message.startswith("Female: 1 of 11 labels contradict")
    page = html_report("one", report)
    assert "Beside other" in page


def test_a_backpack_is_a_bag_and_no_backpack_says_nothing(tmp_path, labels):
    one, other = labels
    other[:, 2] = -1
    bag = found(compare(tmp_path, one, other))["Bag"]
    assert bag.compared == other[:, 1].sum()
    assert bag.agreeing == bag.compared
    assert np.isnan(bag.kappa)


def test_a_namesake_that_shows_something_else_is_left_out(tmp_path, labels):
    theirs = dict(persons(), p2=persons(seed=9)["p2"])
    report = compare(tmp_path, *labels, theirs)
    assert report.comparison.images == NUMBER - 1
    assert [path[-6:] for path in report.comparison.differing] == ["p2.png"]
    (note,) = [issue for issue in report.issues if issue.check == "other dataset"]
    assert note.severity == "note"


def test_datasets_without_a_common_image_are_refused(tmp_path, labels):
    with pytest.raises(ValueError, match="no image is in both datasets: 12 of 12"):
        compare(tmp_path, *labels, persons(seed=9))


def test_attributes_without_meanings_are_refused(tmp_path, labels):
    images = persons()
    ours = write_dataset(tmp_path / "one", ONE, labels[0], images)
    nothing = dict.fromkeys("abcd")
    others = write_dataset(tmp_path / "other", nothing, labels[1], images)
    with pytest.raises(ValueError, match="of 'other' say nothing of any attribute"):
        check_dataset(dict(all=ours), against=dict(all=others))


def test_the_tool_compares_two_lists(tmp_path, labels):
    """Equal names are one attribute, without meanings, too."""
    names = dict.fromkeys(["Female", "short", "thin"])
    changed = labels[0].copy()
    changed[4, 0] ^= 1
    write_dataset(tmp_path / "one", names, labels[0], persons())
    write_dataset(tmp_path / "other", names, changed, persons())
    words = ("AttributeListDataset", "one", "--ann-file", "all.csv", "--against")
    words += ("AttributeListDataset", "other", "all.csv")
    status, output = call_tool("analysis_tools/check_dataset.py", *words, cwd=tmp_path)
    assert status == 1
    text = " ".join(output.split())
    assert "12 images are in" in text
    assert "Female: 1 of 12 labels contradict" in text
    status, output = call_tool(
        "analysis_tools/check_dataset.py", *words[:-2], cwd=tmp_path
    )
    assert status == 2
    assert "--against takes one of" in output


def test_kappa_is_that_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    for _ in range(20):
        one, other = rng.random((2, 50)) < rng.random((2, 1))
        if len({*one}) == len({*other}) == 2:
            expected = metrics.cohen_kappa_score(one, other)
            assert cohen_kappa(one, other) == pytest.approx(expected)


@pytest.mark.parametrize("answer", [True, False])
def test_of_one_who_gives_one_answer_no_agreement_is_beyond_chance(answer):
    one, other = np.full(4, answer), np.array([True, False, False, True])
    for pair in ((one, other), (other, one), (one, one)):
        assert np.isnan(cohen_kappa(*pair))
