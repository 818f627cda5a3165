"""Labels of persons reach their boxes, from the real files too."""

import pytest
import scipy.io

from mmpar.datasets import DukeMTMCAttribute, Market1501Attribute
from mmpar.structures import SCHEMAS
from tests.fixtures.identity_attributes import (
    REAL_FILES,
    copy_real,
    write_attributes,
    write_boxes,
)

CLASSES = {"market": Market1501Attribute, "duke": DukeMTMCAttribute}
SIZES = {"market": (751, 750), "duke": (702, 1_110)}
AGES = ("age-young", "age-teenager", "age-adult", "age-old")


def real_struct(which, part):
    if not REAL_FILES[which].exists():
        pytest.skip(f"no {REAL_FILES[which]}")
    content = scipy.io.loadmat(REAL_FILES[which])
    return content[f"{which}_attribute"][part][0, 0][0, 0]


@pytest.mark.parametrize("which", CLASSES)
@pytest.mark.parametrize("part", ["train", "test"])
def test_every_real_person_has_the_labels_of_the_file(tmp_path, which, part):
    struct = real_struct(which, part)
    persons = [cell.item() for cell in struct["image_index"][0]]
    assert len(persons) == SIZES[which][part == "test"]
    copy_real(which, tmp_path)
    folder = tmp_path / f"bounding_box_{part}"
    folder.mkdir()
    for i, person in enumerate(persons):
        (folder / f"{person}_c{i % 6 + 1}s1_000451_03.jpg").touch()
    dataset = CLASSES[which](data_root=str(tmp_path), split=part)
    assert len(dataset) == len(persons)
    column = {person: i for i, person in enumerate(persons)}
    for info in (dataset.get_data_info(i) for i in range(len(dataset))):
        i = column[f"{info['person_id']:04}"]
        assert info["camera"] == i % 6 + 1
        for name, found in zip(dataset.schema.names, info["gt_score"].tolist()):
            if name in AGES:
                expected = float(struct["age"][0, i] == AGES.index(name) + 1)
            else:
                expected = {0: -1, 1: 0, 2: 1}[int(struct[name][0, i])]
            assert found == expected


@pytest.mark.parametrize("which", CLASSES)
def test_the_real_structs_differ_in_order_but_not_in_fields(which):
    orders = [real_struct(which, part).dtype.names for part in ("train", "test")]
    assert orders[0] != orders[1]
    assert set(orders[0]) == set(orders[1])


PEOPLE = {"train": ["0002", "0007"], "test": ["0001", "0003"]}


def market(root, **changed):
    """Two persons in each part; the fields of ``test`` in reverse order."""
    fields = ["age", *(n for n in SCHEMAS["market1501"].names if n not in AGES)]
    values = {name: [i % 2 + 1, 2 - i % 2] for i, name in enumerate(fields)}
    values["age"] = [4, 1]
    values.update(changed)
    parts = {
        "train": (PEOPLE["train"], values),
        "test": (PEOPLE["test"], dict(reversed(values.items()))),
    }
    write_attributes(root / "market_attribute.mat", "market_attribute", parts)
    write_boxes(
        root,
        "bounding_box_train",
        ["0007_c2s3_070952_01.jpg", "0002_c1s1_000451_03.jpg"],
    )
    gallery = ["0001_c1s1_1_01.jpg", "0000_c1s1_2_01.jpg", "-1_c3s2_3_02.jpg"]
    write_boxes(root, "bounding_box_test", [*gallery, "0003_c6s1_4_01.jpg"])
    write_boxes(root, "query", ["0003_c5s1_001051_00.jpg"])
    return str(root)


def test_junk_and_distractors_are_left_out_and_counted(tmp_path):
    dataset = Market1501Attribute(data_root=market(tmp_path), split="test")
    assert list(dataset.table.paths) == [
        "bounding_box_test/0001_c1s1_1_01.jpg",
        "bounding_box_test/0003_c6s1_4_01.jpg",
    ]
    assert dataset.dropped == 2
    assert "Distractor boxes dropped: \t2" in repr(dataset)


def test_the_order_of_fields_in_the_file_does_not_matter(tmp_path):
    root = market(tmp_path)
    train = Market1501Attribute(data_root=root, split="train").get_labels()
    test = Market1501Attribute(data_root=root, split="test").get_labels()
    query = Market1501Attribute(data_root=root, split="query").get_labels()
    assert train.tolist() == test.tolist()
    assert train[:, :4].tolist() == [[0, 0, 0, 1], [1, 0, 0, 0]]
    assert query.tolist() == [test[1].tolist()]


def test_trainval_is_train(tmp_path):
    root = market(tmp_path)
    splits = ("train", "trainval")
    paths = [
        list(Market1501Attribute(data_root=root, split=s).table.paths) for s in splits
    ]
    assert paths[0] == paths[1]


def test_all_attributes_are_those_of_the_release(tmp_path):
    kwargs = dict(data_root=market(tmp_path), split="train")
    everything = Market1501Attribute(schema="all", **kwargs)
    usual = Market1501Attribute(**kwargs)
    assert everything.schema.names == usual.schema.names
    assert everything.get_labels().tolist() == usual.get_labels().tolist()


def test_zero_is_unknown(tmp_path):
    root = market(tmp_path, hat=[0, 2])
    dataset = Market1501Attribute(data_root=root, split="train")
    column = dataset.schema.index("hat")
    assert dataset.get_labels()[:, column].tolist() == [-1, 1]


@pytest.mark.parametrize(("name", "value"), [("hat", 3), ("age", 5), ("age", 0)])
def test_an_odd_value_is_an_error_that_names_person_and_field(tmp_path, name, value):
    root = market(tmp_path, **{name: [1, value]})
    match = rf"train.*0007.*{value}; expected"
    with pytest.raises(ValueError, match=match):
        Market1501Attribute(data_root=root, split="train")


def test_a_box_of_a_person_without_labels_is_an_error(tmp_path):
    root = market(tmp_path)
    write_boxes(tmp_path, "bounding_box_train", ["0009_c1s1_1_01.jpg"])
    match = r"no labels for 1 persons of bounding_box_train, first \['0009'\]"
    with pytest.raises(ValueError, match=match):
        Market1501Attribute(data_root=root, split="train")


def test_an_image_of_another_name_is_an_error(tmp_path):
    root = market(tmp_path)
    write_boxes(tmp_path, "query", ["holiday.jpg"])
    with pytest.raises(ValueError, match=r"query/holiday\.jpg: expected a name as"):
        Market1501Attribute(data_root=root, split="query")


def test_a_missing_field_and_a_missing_folder_are_errors(tmp_path):
    root = market(tmp_path)
    with pytest.raises(ValueError, match="has no field 'duke_attribute'"):
        DukeMTMCAttribute(
            data_root=root, ann_file="market_attribute.mat", split="train"
        )
    (tmp_path / "query").rename(tmp_path / "queries")
    with pytest.raises(FileNotFoundError, match=r"no image folder .*query"):
        Market1501Attribute(data_root=root, split="query")
