"""PETA is read from the real release and from files in its nesting."""

import numpy as np
import pytest
import scipy.io

from mmpar.datasets import PETA
from mmpar.structures import SCHEMAS
from tests.fixtures.pa100k import cells
from tests.fixtures.peta import (
    peta_fields,
    real_peta,
    struct_cells,
    write_peta_release,
)

SIZES = {"train": 9_500, "val": 1_900, "trainval": 11_400, "test": 7_600}


class Labels(PETA):
    """Labels without their images."""

    IMAGE_DIRS = ()

    def find_missing(self, table):
        return np.empty(0, np.int64)


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    return write_peta_release(tmp_path_factory.mktemp("peta"), 40)


def rows_of(dataset):
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    return [(i["img_path"].rsplit("/", 1)[1], i["gt_score"].tolist()) for i in infos]


# --- the real release -----------------------------------------------------------------


def released():
    """The struct as SciPy gives it, indexed as published scripts do."""
    return scipy.io.loadmat(real_peta())["peta"][0][0]


@pytest.mark.parametrize("partition", range(5))
def test_the_real_partitions_have_the_published_sizes(partition):
    ann_file = str(real_peta())
    seen = {}
    for split, size in SIZES.items():
        dataset = Labels(ann_file=ann_file, split=split, partition=partition)
        assert len(dataset) == size
        seen[split] = set(dataset.table.paths)
        assert len(seen[split]) == size
    assert not seen["train"] & seen["val"]
    assert not seen["trainval"] & seen["test"]
    assert seen["train"] | seen["val"] == seen["trainval"]
    assert len(seen["trainval"] | seen["test"]) == 19_000


def test_a_real_partition_has_the_rows_and_labels_that_the_file_has():
    raw = released()
    numbers = raw[3][2][0][0][0][0][:, 0].tolist()
    dataset = Labels(ann_file=str(real_peta()), split="train", partition=2)
    assert list(dataset.table.paths) == [f"{n:05}.png" for n in numbers]
    expected = [raw[0][n - 1][4 : 4 + 35].tolist() for n in numbers]
    assert dataset.get_labels().tolist() == expected


def test_real_positive_rates_equal_a_count():
    raw = released()
    numbers = raw[3][0][0][0][0][0][:, 0].tolist()
    counts = [sum(int(raw[0][n - 1][4 + a]) for n in numbers) for a in range(105)]
    dataset = Labels(ann_file=str(real_peta()), split="train", schema="peta105")
    expected = [count / 9_500 for count in counts]
    np.testing.assert_allclose(dataset.positive_ratios(), expected, rtol=0, atol=1e-15)


def test_the_schemas_are_the_real_names_in_the_real_order():
    names = [row[0][0] for row in released()[1]]
    assert list(SCHEMAS["peta105"].names) == names
    assert list(SCHEMAS["peta"].names) == names[:35]


def test_the_real_text_lists_columns_are_those_of_the_release():
    lists = {}
    for split, part in (("trainval", "train"), ("test", "test")):
        path = str(real_peta(f"PETA_{part}_list.txt"))
        lists[split] = Labels(ann_file=path, split=split)
        assert len(lists[split]) == SIZES[split]
    # The lists name images by their first archive, so rows are compared as a whole.
    by_list = np.concatenate([part.get_labels() for part in lists.values()])
    release = released()[0][:, 4:39]
    assert sorted(by_list.tolist()) == sorted(release.tolist())


def test_the_real_sub_datasets_have_the_published_sizes():
    sizes = [1012, 1220, 4563, 1275, 477, 888, 1134, 200, 6967, 1264]
    parts = [
        Labels(ann_file=str(real_peta()), split=split) for split in ("trainval", "test")
    ]
    domains = np.concatenate([part.table.columns["domain"] for part in parts])
    assert np.bincount(domains).tolist() == [0, *sizes]


# --- files in its nesting -------------------------------------------------------------


@pytest.mark.parametrize("split", ["train", "val", "test"])
@pytest.mark.parametrize("partition", [0, 4])
def test_each_partition_has_its_own_rows_in_order(release, split, partition):
    fields = peta_fields(40)["peta"]
    numbers = fields["partion_attribute"][partition, 0][split].ravel().tolist()
    expected = [(f"{n:05}.png", fields["data"][n - 1, 4:39].tolist()) for n in numbers]
    dataset = PETA(data_root=str(release), split=split, partition=partition)
    assert rows_of(dataset) == expected


def test_a_sample_names_its_person_and_sub_dataset(release):
    info = PETA(data_root=str(release), split="test").get_data_info(3)
    number = int(info["img_path"][-9:-4])
    assert info["person_id"] == (number + 1) // 2
    assert info["domain"] == number % 10 + 1


def test_any_attributes_can_be_chosen(release):
    names = ["hairBald", "personalMale", "upperBodyRed"]
    dataset = PETA(data_root=str(release), split="val", schema=dict(names=names))
    full = PETA(data_root=str(release), split="val", schema="all")
    assert full.schema.exclusive == SCHEMAS["peta"].exclusive != ()
    assert len(full.schema) == 105
    order = [full.schema.index(name) for name in names]
    assert dataset.get_labels().tolist() == full.get_labels()[:, order].tolist()


@pytest.mark.parametrize("partition", [-1, 5])
def test_a_partition_that_is_not_there_is_an_error(release, partition):
    match = r"PETA\.mat has the partitions \[0, 1, 2, 3, 4\] of 'val'"
    with pytest.raises(ValueError, match=match):
        PETA(data_root=str(release), split="val", partition=partition)


def test_windows_paths_in_a_list_are_read(tmp_path):
    (tmp_path / "images" / "CUHK").mkdir(parents=True)
    (tmp_path / "images" / "CUHK" / "1.png").touch()
    row = " ".join(["1"] + ["0"] * 34)
    (tmp_path / "list.txt").write_text(f"CUHK\\1.png {row}\r\n")
    dataset = PETA(data_root=str(tmp_path), ann_file="list.txt", split="test")
    assert dataset.get_data_info(0)["img_path"].endswith("/images/CUHK/1.png")


def faulty(**overrides):
    return peta_fields(40, **overrides)


def partitions(index):
    good = peta_fields(40)["peta"]["partion_attribute"].ravel().tolist()
    good[1] = {**good[1], "val": np.array([[3], [index]])}
    return struct_cells(good, (5, 1))


ALL = peta_fields(40)["peta"]
FAULTS = {
    "missing column": (
        dict(data=ALL["data"][:, :-1]),
        r"peta\.data has the shape \(40, 108\), expected \(images, 109\)",
    ),
    "missing name": (
        dict(attribute=cells(SCHEMAS["peta105"].names[:-1])),
        r"shape \(40, 109\), expected \(images, 108\)",
    ),
    "past the end": (
        dict(partion_attribute=partitions(41)),
        r"partion_attribute\{2\}\.val: entry 2 is the row 41; there are 40 rows, "
        "numbered from 1 to 40",
    ),
    "counted from zero": (
        dict(partion_attribute=partitions(0)),
        r"partion_attribute\{2\}\.val: entry 2 is the row 0",
    ),
    "half a row": (dict(partion_attribute=partitions(1.5)), "expected row numbers"),
    "no partitions": (
        dict(partion_attribute=None),
        "has no field 'partion_attribute'; it has",
    ),
    "other names": (
        dict(attribute=cells(["x", *SCHEMAS["peta105"].names[1:]])),
        r"lacks the attributes \['personalLess30'\]",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_file_is_an_error_that_says_what(tmp_path, fault):
    overrides, match = FAULTS[fault]
    write_peta_release(tmp_path, 40, **overrides)
    with pytest.raises(ValueError, match=r"PETA\.mat.*" + match):
        PETA(data_root=str(tmp_path), split="val", partition=1)


def test_an_odd_label_is_an_error_that_names_image_and_attribute(tmp_path):
    data = ALL["data"].copy()
    data[6, 4 + 10] = 7
    write_peta_release(tmp_path, 40, data=data)
    splits = ("train", "val", "test")
    with pytest.raises(
        ValueError, match=r"\(00007\.png\): attribute 'accessoryHat' has the label 7"
    ):
        [PETA(data_root=str(tmp_path), split=split) for split in splits]


@pytest.mark.parametrize("share", [0.1, 0.9])
def test_a_truncated_file_is_an_error_that_names_it(tmp_path, share):
    path = write_peta_release(tmp_path, 40) / "PETA.mat"
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ValueError, match=r"PETA\.mat .*not a whole MATLAB file"):
        PETA(data_root=str(tmp_path), split="val")


# Of the release, counted in PETA.mat.
SEEN_SHARES = [57.70, 58.49, 58.43, 58.67, 58.83]


@pytest.mark.parametrize("partition", range(5))
def test_shares_of_test_images_with_persons_of_trainval_are_as_counted(partition):
    root = real_peta().parent
    seen, test = (
        Labels(data_root=str(root), split=split, partition=partition).table.columns[
            "person_id"
        ]
        for split in ("trainval", "test")
    )
    share = sum(person in set(seen.tolist()) for person in test.tolist()) / len(test)
    assert (
        round(100 * share, 2) == SEEN_SHARES[partition] == PETA.SEEN_SHARES[partition]
    )
