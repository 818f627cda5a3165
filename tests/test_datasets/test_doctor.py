"""The doctor finds every planted fault, and none in a clean dataset."""

import os
import re
from unittest import mock

import cv2
import numpy as np
import pytest

from mmpar.datasets import PETA, DukeMTMCAttribute, Market1501Attribute
from mmpar.datasets.base import PARDataset
from mmpar.datasets.doctor import Published, check_dataset, images, labels
from mmpar.datasets.doctor.report import html_report
from mmpar.datasets.formats import AnnotationTable
from mmpar.datasets.formats.openmmlab_json import openmmlab_text
from mmpar.datasets.reid_attributes import read_reid_attributes
from mmpar.structures import SCHEMAS
from tests.fixtures.common_pickle import common_entries, write_common
from tests.fixtures.peta import REAL_PETA, real_peta
from tests.test_tools.run import call_tool

SCHEMA = SCHEMAS["peta105"]
SPLITS = ("train", "val", "test")
PER_SPLIT = 6


def clean_labels(count, schema=SCHEMA):
    """Each attribute once or more in any six rows; one of each exclusive set."""
    labels = np.array([[(i + a) % 2 for a in range(len(schema))] for i in range(count)])
    for members in schema.exclusive_indices:
        labels[:, members] = 0
        for i in range(count):
            labels[i, members[i % len(members)]] = 1
    return labels


def write_image(path, seed):
    noise = np.random.default_rng(seed).integers(0, 256, (40, 20, 3), np.uint8)
    cv2.imwrite(str(path), noise)


class Clean:
    """Three splits of six images, before they are written."""

    def __init__(self, root):
        self.root = root
        self.paths = {s: [f"{s}{i}.png" for i in range(PER_SPLIT)] for s in SPLITS}
        self.labels = {split: clean_labels(PER_SPLIT) for split in SPLITS}
        self.persons = {
            split: np.arange(PER_SPLIT) // 2 + 10 * i for i, split in enumerate(SPLITS)
        }
        self.published = dict.fromkeys(SPLITS, PER_SPLIT)
        (root / "images").mkdir(parents=True)
        for i, name in enumerate(n for names in self.paths.values() for n in names):
            write_image(root / "images" / name, i)
        write_image(root / "images" / "photo.jpg", 99)
        self.paths["train"][0] = "photo.jpg"

    def image(self, split, i):
        return self.root / "images" / self.paths[split][i]

    def check_dataset(self):
        tables = []
        for split in SPLITS:
            table = AnnotationTable.of(
                self.paths[split],
                self.labels[split],
                {"person_id": self.persons[split]},
            )
            tables.append((split, 0, table))
        metainfo = dict(classes=list(SCHEMA.names), schema=SCHEMA.to_dict())
        text = "".join(openmmlab_text(metainfo, tables))
        (self.root / "a.json").write_text(text)
        splits = {split: self.open(split) for split in SPLITS}
        return check_dataset(splits, Published(self.published))

    def open(self, split):
        return PETA(
            data_root=str(self.root),
            ann_file="a.json",
            split=split,
            schema="peta105",
            missing_images="ignore",
        )


def size(data):
    data.published["val"] = 7
    return "size", "val", None


def missing(data):
    data.image("val", 2).unlink()
    return "missing", "val", [data.image("val", 2)]


def zero_bytes(data):
    data.image("test", 0).write_bytes(b"")
    return "zero bytes", "test", [data.image("test", 0)]


def truncated_png(data):
    path = data.image("test", 1)
    path.write_bytes(path.read_bytes()[:-40])
    return "truncated", "test", [path]


def truncated_jpeg(data):
    path = data.image("train", 0)
    path.write_bytes(path.read_bytes()[:-40])
    return "truncated", "train", [path]


def unreadable(data):
    data.image("train", 3).write_bytes(b"hello")
    return "unreadable", "train", [data.image("train", 3)]


def copies_inside(data):
    one, other = data.image("train", 4), data.image("train", 5)
    other.write_bytes(one.read_bytes())
    return "copies in a split", "train", [one, other]


def copies_across(data):
    one, other = data.image("train", 1), data.image("test", 4)
    other.write_bytes(one.read_bytes())
    return "copies across splits", "test, train", [one, other]


def shared_persons(data):
    data.persons["test"][3] = data.persons["train"][1]
    return "shared persons", "train, test", [data.image("test", 3)]


def never_absent(data):
    data.labels["val"][:, SCHEMA.index("hairBald")] = 1
    return "never absent", "val", None


def never_known(data):
    data.labels["test"][:, SCHEMA.index("hairBald")] = -1
    return "never known", "test", None


def two_ages(data):
    data.labels["test"][5, SCHEMA.indices(["age"])[:2]] = 1
    return "contradiction", "test", [data.image("test", 5)]


def man_and_woman(data):
    for name in ("personalMale", "personalFemale"):
        data.labels["val"][1, SCHEMA.index(name)] = 1
    return "contradiction", "val", [data.image("val", 1)]


def duplicate_paths(data):
    data.paths["val"][5] = data.paths["val"][4]
    return "listed twice", "val", [data.image("val", 4)]


PLANTED = [
    size,
    missing,
    zero_bytes,
    truncated_png,
    truncated_jpeg,
    unreadable,
    copies_inside,
    copies_across,
    shared_persons,
    never_absent,
    never_known,
    two_ages,
    man_and_woman,
    duplicate_paths,
]


def found(dataset_report):
    return {
        (f.check, f.where): sorted(f.images)
        for f in dataset_report.issues
        if f.severity != "note"
    }


def test_a_clean_dataset_has_no_faults(tmp_path):
    dataset_report = Clean(tmp_path).check_dataset()
    assert dataset_report.issues == []
    assert dataset_report.counts == dict.fromkeys(SPLITS, PER_SPLIT)
    assert dataset_report.sizes == ((20, 20, 20), (40, 40, 40))


def test_bytes_after_the_end_of_an_image_are_no_fault(tmp_path):
    data = Clean(tmp_path)
    for path in (data.image("test", 1), data.image("train", 0)):  # PNG and JPEG
        path.write_bytes(path.read_bytes() + b"\xff\xda" + bytes(64))
    assert data.check_dataset().issues == []


def test_images_of_unknown_persons_are_not_of_one_person(tmp_path):
    data = Clean(tmp_path)
    for split in SPLITS:
        data.persons[split][:3] = -1
    assert data.check_dataset().issues == []


@pytest.mark.parametrize("plant", PLANTED)
def test_one_planted_fault_is_found_and_nothing_else(tmp_path, plant):
    data = Clean(tmp_path)
    check, where, images = plant(data)
    faults = found(data.check_dataset())
    assert list(faults) == [(check, where)]
    if images is not None:
        assert faults[check, where] == sorted(map(str, images))


def test_all_planted_faults_are_found_at_once(tmp_path):
    data = Clean(tmp_path)
    expected = {plant(data)[:2] for plant in PLANTED}
    dataset_report = data.check_dataset()
    assert set(found(dataset_report)) == expected
    severity = {issue.check: issue.severity for issue in dataset_report.issues}
    assert (severity["missing"], severity["contradiction"]) == ("error", "warning")
    assert len(expected) >= 10
    page = html_report("PETA <1>", dataset_report)
    assert "PETA &lt;1&gt;" in page
    assert "<p>Images: train 6, val 6, test 6</p>" in page
    for check, where in expected:
        assert f"{check} ({where})" in page
    assert page.count("data:image/jpeg;base64,") > 3
    assert page.count("class=bar") == 3 * 105


OPPOSITES = [
    ("Front", "Back"),
    ("personalMale", "personalFemale"),
    ("Male", "Female"),
    ("faceFront", "faceBack"),
]


@pytest.mark.parametrize("names", OPPOSITES)
def test_an_image_of_two_opposites_is_found(tmp_path, names):
    labels = np.array([[1, 0], [1, 1], [0, 1], [0, 0], [1, -1]])
    table = AnnotationTable.of([f"{i}.png" for i in range(5)], labels, {})
    text = openmmlab_text(dict(classes=list(names)), [("test", 0, table)])
    (tmp_path / "a.json").write_text("".join(text))
    for i in range(5):
        write_image(tmp_path / f"{i}.png", i)
    dataset = PETA(
        data_root=str(tmp_path),
        ann_file="a.json",
        data_prefix=".",
        split="test",
        schema="all",
    )
    faults = {f.message: f.images for f in check_dataset({"test": dataset}).faults}
    message = f"{names[0]} and {names[1]}: 1 images"
    assert list(faults) == [message]
    assert [p.rsplit("/", 1)[1] for p in faults[message]] == ["1.png"]


def test_persons_shared_by_design_are_a_note(tmp_path):
    data = Clean(tmp_path)
    shared_persons(data)
    data.check_dataset()
    splits = {split: data.open(split) for split in SPLITS}
    dataset_report = check_dataset(splits, Published(identity_overlap=True))
    checks = [issue.check for issue in dataset_report.issues]
    assert checks == ["shared persons", "seen persons"]
    assert dataset_report.faults == []


class InMemory(PARDataset):
    """Splits of labels and persons, without images."""

    def __init__(self, labels, persons, names=("Hat",)):
        paths = [f"{i}.png" for i in range(len(labels))]
        self.given = AnnotationTable.of(
            paths, np.reshape(labels, (-1, len(names))), {"person_id": persons}
        )
        super().__init__(schema=dict(names=list(names)))

    def load_annotations(self):
        return self.given

    def find_missing(self, table):
        return np.empty(0, int)


def everyone(labels):
    """A split in which each image shows another person."""
    return InMemory(labels, np.arange(len(labels)))


def one_sided(published, **splits):
    found = labels.one_sided(splits, published)
    return {(f.check, f.where, f.severity) for f in found}


def test_an_attribute_that_a_fair_draw_may_leave_out_is_a_note_in_a_release_only():
    hats = dict(train=everyone([1] * 4 + [0] * 96), val=everyone([0] * 50))
    assert one_sided(Published(), **hats) == {("never present", "val", "note")}
    assert one_sided(None, **hats) == {("never present", "val", "warning")}


def test_a_common_attribute_that_a_split_of_a_release_lacks_is_a_fault():
    hats = dict(train=everyone([1] * 40 + [0] * 60), val=everyone([0] * 50))
    assert one_sided(Published(), **hats) == {("never present", "val", "warning")}


def test_how_common_an_attribute_is_is_counted_in_persons():
    """Forty images of one person: a split without that person is no surprise."""
    one_person = np.maximum(0, np.arange(100) - 39)
    hats = dict(train=InMemory([1] * 40 + [0] * 60, one_person), val=everyone([0] * 50))
    assert one_sided(Published(), **hats) == {("never present", "val", "note")}


def test_an_attribute_that_nobody_has_is_a_fault_unless_the_release_is_known_for_it():
    hats = dict(train=everyone([0] * 9), val=everyone([0] * 9))
    faults = {("never present", split, "warning") for split in hats}
    assert one_sided(Published(), **hats) == faults
    known = Published(flaws={"never present": ("Hat",)})
    assert {severity for *_, severity in one_sided(known, **hats)} <= {"note"}


def test_a_list_coded_minus_one_and_one_is_a_fault_that_names_the_remedy():
    (issue,) = labels.one_sided({"train": everyone([1, -1, -1])}, None)
    assert (issue.check, issue.severity) == ("never absent", "warning")
    assert issue.message.startswith("Hat: no known negative")
    assert "label_map={-1: 0}" in issue.message


def test_known_flaws_of_a_release_are_notes_and_others_beside_them_are_faults():
    ages = ["personalLess30", "personalLess45"]
    dataset = InMemory([[1, 1], [0, 1], [1, 1]], np.arange(3), ages)
    dataset._metainfo["schema"]["groups"] = {"age": ages}
    known = Published(flaws={"two ages": ("2.png",)})
    issues = list(labels.contradictions({"test": dataset}, known))
    assert [(f.images, f.severity) for f in issues] == [
        (["0.png"], "warning"),
        (["2.png"], "note"),
    ]


def test_known_copies_of_a_release_are_notes():
    dataset = everyone([0, 0, 0, 0])
    content = {"0.png": b"a", "1.png": b"a", "2.png": b"b", "3.png": b"b"}
    read = {p: images.ImageFile(p, "", d, (1, 1)) for p, d in content.items()}
    known = Published(flaws={"copies": ("0.png", "1.png", "2.png")})
    issues = list(images.duplicate_images({"test": dataset}, read, known))
    assert [(f.images, f.severity) for f in issues] == [
        (["2.png", "3.png"], "warning"),
        (["0.png", "1.png"], "note"),
    ]


def test_of_ones_own_lists_no_two_splits_share_a_person():
    split = dict(train=everyone([0, 1]), val=everyone([0, 1]))
    (issue,) = labels.shared_persons(split, None)
    assert (issue.where, issue.severity) == ("train, val", "error")
    assert list(labels.shared_persons(split, Published())) == []


def test_persons_are_compared_whatever_type_their_column_has():
    train = InMemory([0, 1, 1], np.array([7, 8, -1]))
    val = InMemory([0, 1, 1, 0], np.array(["p3", "007", "-1", ""]))
    (issue,) = labels.shared_persons(dict(train=train, val=val), None)
    assert issue.message == "1 persons, 1 val images"
    assert [path.rsplit("/", 1)[-1] for path in issue.images] == ["1.png"]


@pytest.mark.parametrize("schema", ["peta", "peta105"])
@pytest.mark.parametrize("partition", range(5))
def test_the_labels_of_the_real_peta_have_no_faults(schema, partition):
    root = str(real_peta().parent)
    unchecked = type(
        "Unchecked", (PETA,), dict(find_missing=lambda self, t: np.empty(0, int))
    )
    splits = {
        split: unchecked(
            data_root=root,
            data_prefix=".",
            split=split,
            partition=partition,
            schema=schema,
        )
        for split in SPLITS
    }
    published = Published.of(PETA)
    issues = [
        *labels.sizes(splits, published.sizes),
        *labels.duplicate_paths(splits),
        *labels.shared_persons(splits, published),
        *labels.one_sided(splits, published),
        *labels.contradictions(splits, published),
    ]
    assert [f for f in issues if f.severity != "note"] == []
    ages = [f.images for f in issues if f.message.startswith("two ages")]
    assert sum(map(len, ages)) == 4


REAL_IDENTITIES = {
    Market1501Attribute: REAL_PETA.parent / "market1501/market_attribute.mat",
    DukeMTMCAttribute: REAL_PETA.parent / "dukemtmc/duke_attribute.mat",
}


@pytest.mark.parametrize("kind", REAL_IDENTITIES)
def test_the_labels_of_the_real_persons_have_no_faults(kind):
    """One row per person, as the labels are of persons; there are no images."""
    file = REAL_IDENTITIES[kind]
    if not file.exists():
        pytest.skip(f"no {file}")
    names = SCHEMAS[kind.SCHEMA].names
    splits = {}
    for part in ("train", "test"):
        found = read_reid_attributes(str(file), kind.VARIABLE, part, kind.MULTI_CLASS)
        persons = np.array([int(person) for person in found.images])
        table = found.select(SCHEMAS[kind.SCHEMA])
        splits[part] = InMemory(table.labels, persons, names)
    published = Published.of(kind)
    notes = [
        *labels.shared_persons(splits, published),
        *labels.one_sided(splits, published),
        *labels.contradictions(splits, published),
    ]
    assert [note for note in notes if note.severity != "note"] == []
    assert any("downpurple" in note.message for note in notes) == (
        kind is Market1501Attribute
    )


# --- the tool -------------------------------------------------------------------------


@pytest.fixture
def release(tmp_path):
    schema = SCHEMAS["peta"]
    names = [f"{i:05}.png" for i in range(40)]
    (tmp_path / "images").mkdir()
    for i, name in enumerate(names):
        write_image(tmp_path / "images" / name, i)
    entries = common_entries(schema, names)
    entries["label"] = clean_labels(40, schema)
    write_common(tmp_path / "dataset_zs_run0.pkl", entries)
    return tmp_path


def check(release, *options, dataset="PETAzs"):
    arguments = ("analysis_tools/check_dataset.py", dataset, release, *options)
    with mock.patch.dict(os.environ, COLUMNS="1000"):
        return call_tool(*arguments, cwd=release)


def test_the_tool_returns_0_for_a_clean_release_and_1_for_a_faulty_one(release):
    code, text = check(release)
    assert (code, "0 faults" in text) == (0, True), text
    (release / "images/00007.png").write_bytes(b"")
    code, text = check(release, "--out", "report.html")
    assert (code, "zero bytes" in text) == (1, True), text
    assert "images/00007.png" in text
    assert "images/00007.png" in (release / "report.html").read_text()


def test_the_tool_says_what_is_wrong_with_an_annotation(release):
    content = (release / "dataset_zs_run0.pkl").read_bytes()
    (release / "dataset_zs_run0.pkl").write_bytes(content[:100])
    code, text = check(release)
    assert code == 1
    assert "not a whole pickle" in text


def test_an_odd_label_is_a_fault_of_its_split_beside_those_of_the_others(release):
    names = [f"{i:05}.png" for i in range(40)]
    entries = common_entries(SCHEMAS["peta"], names)
    entries["label"] = clean_labels(40, SCHEMAS["peta"])
    val, test = (int(entries["partition"][split][0]) for split in ("val", "test"))
    entries["label"][val, 3] = 7
    write_common(release / "dataset_zs_run0.pkl", entries)
    (release / "images" / names[test]).unlink()
    code, text = check(release, "--out", "report.html")
    assert code == 1
    page = (release / "report.html").read_text()
    assert "annotation (val)" in page
    assert names[val] in page
    assert f"row {val + 1} ({names[val]})" in text
    assert "has the label 7" in text
    assert re.search(rf"missing .* test .* first: .*/{names[test]}", text), text
    assert "2 faults" in text


def test_the_tool_takes_a_schema(release):
    code, text = check(release, "--schema", "peta105")
    assert (code, "lacks the attributes" in text) == (1, True), text


def test_the_tool_examines_a_list_of_one_split_as_that(release):
    labels = clean_labels(6, SCHEMAS["peta"])
    rows = [f"{i:05}.png {' '.join(map(str, row))}\n" for i, row in enumerate(labels)]
    (release / "some.txt").write_text("".join(rows))
    code, text = check(release, "--ann-file", "some.txt")
    assert (code, "images: some.txt 6;" in text) == (0, True), text


def test_the_tool_examines_ones_own_lists(tmp_path):
    for i, name in enumerate("abc"):
        write_image(tmp_path / f"{name}.png", i)
    (tmp_path / "train.csv").write_text("path,Hat,Bag\na.png,1,1\nb.png,0,0\n")
    (tmp_path / "val.csv").write_text("path,Hat,Bag\nc.png,1,-1\n")
    (tmp_path / "test.csv").write_text("path,Hat,Bag\nd.png,1,9\n")
    lists = ("--ann-file", "train.csv", "val.csv", "test.csv")
    code, text = check(tmp_path, *lists, dataset="AttributeListDataset")
    assert code == 1
    assert "has the label '9'" in text
    assert re.search(r"never absent .* val .* Hat: no known negative", text), text
    assert "label_map={-1: 0}" in text
    assert "images: train 2, val 1;" in text
    code, text = check(tmp_path, *lists[:2], dataset="AttributeListDataset")
    assert (code, "0 faults" in text) == (0, True), text


def person_issues(data, published=None):
    splits = {split: data.open(split) for split in SPLITS}
    published = published or Published()
    found = [*labels.seen_persons(splits, published), *labels.copied_labels(splits)]
    return [(issue.check, issue.severity, issue.message) for issue in found]


def test_shares_of_seen_persons_are_compared_with_those_of_the_release(tmp_path):
    data = Clean(tmp_path)
    data.persons["test"][:3] = (0, 10, -1)  # one of train, one of val, one unknown
    data.check_dataset()
    share = "33.33 % of the test images show a person of train, val"
    assert person_issues(data) == [("seen persons", "note", share)]
    right, wrong = (Published(seen_shares={0: value}) for value in (33.33, 57.70))
    assert person_issues(data, right)[0][1] == "note"
    _, severity, message = person_issues(data, wrong)[0]
    assert severity == "error"
    assert message == f"{share}; in the release it is 57.70 %"


def test_labels_that_were_given_to_persons_are_noted(tmp_path):
    data = Clean(tmp_path)
    data.check_dataset()
    assert person_issues(data) == []
    for own in data.labels.values():
        own[1::2] = own[::2]
    data.check_dataset()
    ((_, _, message),) = person_issues(data)
    assert message.startswith("9 of 9 persons")
    assert message.endswith("persons were labelled, not images")
