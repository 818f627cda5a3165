"""PA-100K is read from files in its release's own nesting."""

import numpy as np
import pytest
import scipy.io
from mmengine.registry import init_default_scope

from mmpar.datasets import PA100K
from mmpar.registry import DATASETS
from mmpar.structures import SCHEMAS
from tests.fixtures.pa100k import (
    cells,
    generated_rows,
    real_rows,
    write_pa100k_release,
)

PARTS = {
    "train": generated_rows(12, seed=1),
    "val": generated_rows(5, seed=2, first=13),
    "test": generated_rows(7, seed=3, first=18),
}


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    return write_pa100k_release(tmp_path_factory.mktemp("pa100k"), PARTS)


def read_back(dataset):
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    return [(i["img_path"].rsplit("/", 1)[1], i["gt_score"].tolist()) for i in infos]


@pytest.mark.parametrize("split", ["train", "val", "test", "trainval"])
def test_each_split_has_its_own_rows_in_order(release, split):
    expected = PARTS["train"] + PARTS["val"] if split == "trainval" else PARTS[split]
    assert read_back(PA100K(data_root=str(release), split=split)) == expected


def test_the_real_test_rows_come_back_from_the_releases_nesting(tmp_path):
    rows = real_rows()
    write_pa100k_release(tmp_path, {"test": rows}, image_size=None)
    nested = scipy.io.loadmat(tmp_path / "annotation.mat")["test_images_name"]
    assert nested[9999][0][0] == "100000.jpg"  # as the release is indexed

    for name, _ in rows:
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / name).touch()
    dataset = PA100K(data_root=str(tmp_path), split="test")
    assert len(dataset) == 10_000
    assert read_back(dataset) == rows

    counts = [0] * 26
    for _, labels in rows:
        for a, label in enumerate(labels):
            counts[a] += label
    expected = [count / 10_000 for count in counts]
    np.testing.assert_allclose(dataset.positive_ratios(), expected, rtol=0, atol=1e-15)


def test_a_sample_has_float_labels_in_the_order_of_the_schema(release):
    info = PA100K(data_root=str(release), split="val").get_data_info(2)
    assert info["img_path"] == f"{release}/data/000015.jpg"
    assert info["gt_score"].dtype == np.float32
    assert info["gt_score"].shape == (26,)
    assert info["sample_idx"] == 2


def test_the_config_name_builds_it(release):
    init_default_scope("mmpar")
    config = dict(type="PA100K", data_root=str(release), split="val")
    dataset = DATASETS.build(config)
    assert dataset.schema == SCHEMAS["pa100k"]
    assert dataset.metainfo["dataset_name"] == "PA-100K"


@pytest.mark.parametrize("folder", ["data", "release_data/release_data"])
def test_the_known_image_folders_are_found(tmp_path, folder):
    write_pa100k_release(tmp_path, {"val": PARTS["val"]}, image_folder=folder)
    dataset = PA100K(data_root=str(tmp_path), split="val")
    assert dataset.get_data_info(0)["img_path"] == f"{tmp_path}/{folder}/000013.jpg"


def test_another_image_folder_can_be_named(tmp_path):
    write_pa100k_release(tmp_path, {"val": PARTS["val"]}, image_folder="crops")
    prefix = dict(img_path="crops")
    dataset = PA100K(data_root=str(tmp_path), split="val", data_prefix=prefix)
    assert dataset.get_data_info(0)["img_path"] == f"{tmp_path}/crops/000013.jpg"


def test_no_image_folder_is_an_error_that_lists_the_known_ones(tmp_path):
    write_pa100k_release(tmp_path, {"val": PARTS["val"]}, image_size=None)
    with pytest.raises(FileNotFoundError, match=r"release_data/release_data.*prefix"):
        PA100K(data_root=str(tmp_path), split="val")


@pytest.mark.parametrize("split", ["", "training"])
def test_an_unknown_split_is_an_error_that_lists_the_splits(release, split):
    with pytest.raises(ValueError, match=f"'trainval'.*got split='{split}'"):
        PA100K(data_root=str(release), split=split)


def test_a_missing_annotation_is_an_error_that_names_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"annotation\.mat.*data_root"):
        PA100K(data_root=str(tmp_path), split="val")


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
def test_a_truncated_annotation_is_an_error_that_names_it(tmp_path, share):
    write_pa100k_release(tmp_path, PARTS)
    path = tmp_path / "annotation.mat"
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"annotation\.mat .*not a whole MATLAB file"):
        PA100K(data_root=str(tmp_path), split="val")


def test_a_truncated_matlab_7_3_file_is_an_error_that_names_it(tmp_path):
    header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    (tmp_path / "annotation.mat").write_bytes(header + bytes(512))
    with pytest.raises(ValueError, match=r"annotation\.mat .*not a whole MATLAB file"):
        PA100K(data_root=str(tmp_path), split="val")


def test_a_missing_field_is_an_error_that_lists_what_is_there(tmp_path):
    write_pa100k_release(tmp_path, {"train": PARTS["train"]})
    match = r"has the splits \['train'\], got split='trainval'"
    with pytest.raises(ValueError, match=match):
        PA100K(data_root=str(tmp_path), split="trainval")


def test_fewer_label_rows_than_images_is_an_error(tmp_path):
    write_pa100k_release(tmp_path, PARTS, val_label=np.zeros((4, 26), np.uint8))
    with pytest.raises(
        ValueError, match=r"val_label has the shape \(4, 26\), expected \(5, 26\)"
    ):
        PA100K(data_root=str(tmp_path), split="val")


def test_a_label_matrix_that_lacks_a_column_is_an_error(tmp_path):
    write_pa100k_release(tmp_path, PARTS, val_label=np.zeros((5, 25), np.uint8))
    with pytest.raises(ValueError, match=r"val_label.*\(5, 25\).*\(5, 26\)"):
        PA100K(data_root=str(tmp_path), split="val")


@pytest.mark.parametrize("value", [2, 0.5, float("nan")])
def test_an_odd_label_is_an_error_that_names_field_row_and_attribute(tmp_path, value):
    labels = np.zeros((5, 26))
    labels[3, 7] = value
    write_pa100k_release(tmp_path, PARTS, val_label=labels)
    match = rf"row 16 \(000016\.jpg\): attribute 'Hat' has the label {value}"
    with pytest.raises(ValueError, match=match):
        PA100K(data_root=str(tmp_path), split="val")


def test_other_attributes_are_an_error_that_shows_both(tmp_path):
    names = list(SCHEMAS["pa100k"].names)
    names[0], names[1] = names[1], names[0]
    write_pa100k_release(tmp_path, PARTS, attributes=cells(names))
    with pytest.raises(
        ValueError, match=r"'AgeOver60', 'Female'.*'Female', 'AgeOver60'"
    ):
        PA100K(data_root=str(tmp_path), split="val")


def test_blanks_around_attribute_names_are_trimmed(tmp_path):
    names = [f" {name} " for name in SCHEMAS["pa100k"].names]
    write_pa100k_release(tmp_path, PARTS, attributes=cells(names))
    assert len(PA100K(data_root=str(tmp_path), split="val")) == 5


def test_a_cell_without_a_string_is_an_error_that_names_it(tmp_path):
    names = cells([name for name, _ in PARTS["val"]])
    names[1, 0] = np.zeros(3)
    write_pa100k_release(tmp_path, PARTS, val_images_name=names)
    with pytest.raises(ValueError, match="val_images_name: cell 2 is not one string"):
        PA100K(data_root=str(tmp_path), split="val")
