"""Rows of the keypoint array find their pictures, in every process."""

import os
import pickle

import numpy as np
import pytest
import torch

from mmpar.datasets import AttributeListDataset, JointDataset
from mmpar.datasets.formats.keypoint_array import (
    KeypointArray,
    paths_file,
    write_paths,
)
from tests.fixtures.pa100k import write_pictures

NAMES = [f"c{i % 2}/päth {i}.jpg" for i in range(6)]
SCHEMA = dict(names=["Hat", "Bag"])
PIPELINE = [
    dict(type="LoadPersonImage"),
    dict(type="Resize", scale=(60, 160), keep_ratio=False),
    dict(type="PackPARInputs"),
]


def write(file, values, names):
    np.save(file, values)
    write_paths(paths_file(file), names)
    return file


@pytest.fixture
def values():
    return np.random.default_rng(0).uniform(0, 1, (8, 17, 3)).astype(np.float32)


@pytest.fixture
def root(tmp_path, values):
    """Six pictures; the array has eight rows, in another order."""
    write_pictures(tmp_path, NAMES)
    lines = "".join(f"{name} {i % 2} 1\n" for i, name in enumerate(NAMES))
    (tmp_path / "list.txt").write_text(lines, encoding="utf-8")
    names = ["other 0.jpg", *reversed(NAMES), "other 1.jpg"]
    write(tmp_path / "keypoints.npy", values, names)
    return tmp_path


def listed(root, **kwargs):
    args = dict(data_root=str(root), ann_file="list.txt", schema=SCHEMA)
    return AttributeListDataset(**args, keypoints="keypoints.npy", **kwargs)


# --- samples --------------------------------------------------------------------------


def test_each_sample_gets_the_row_of_its_picture(root, values):
    dataset = listed(root)
    for i in range(6):
        info = dataset.get_data_info(i)
        assert info["gt_keypoints"].dtype == np.float32
        np.testing.assert_array_equal(info["gt_keypoints"], values[6 - i][None])
        assert "keypoint_row" not in info


def test_subsets_keep_their_rows(root, values):
    for dataset in (listed(root, indices=[4, 1]), listed(root).get_subset([4, 1])):
        found = [dataset.get_data_info(i)["gt_keypoints"][0] for i in (0, 1)]
        np.testing.assert_array_equal(found, values[[2, 5]])


def test_what_a_transform_does_to_a_sample_stays_in_the_sample(root, values):
    dataset = listed(root)
    dataset.get_data_info(2)["gt_keypoints"][:] = 7
    np.testing.assert_array_equal(
        dataset.get_data_info(2)["gt_keypoints"][0], values[4]
    )


def test_the_pipeline_moves_them(root, values):
    sample = listed(root, pipeline=PIPELINE)[3]["data_samples"]
    height, width = sample.ori_shape
    expected = values[3] * (60 / width, 160 / height, 1)
    np.testing.assert_allclose(sample.gt_keypoints[0], expected, rtol=1e-5)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_of_a_joint_data_set_read_the_same(root, values, method):
    joint = JointDataset([listed(root, pipeline=PIPELINE) for _ in range(2)])
    loader = torch.utils.data.DataLoader(
        joint,
        batch_size=4,
        num_workers=1,
        collate_fn=list,
        multiprocessing_context=method,
    )
    found = [data["data_samples"] for batch in loader for data in batch]
    for i, sample in enumerate(found):
        np.testing.assert_array_equal(
            sample.gt_keypoints[0, :, 2], values[6 - i % 6, :, 2]
        )
    assert len(found) == 12


def test_a_pickle_carries_the_name_and_not_the_array(root, values):
    array = KeypointArray(root / "keypoints.npy")
    content = pickle.dumps(array)
    assert len(content) < 1000
    np.testing.assert_array_equal(pickle.loads(content)[5], values[5])


def test_without_the_argument_there_are_none(root):
    dataset = AttributeListDataset(
        data_root=str(root), ann_file="list.txt", schema=SCHEMA
    )
    assert "gt_keypoints" not in dataset.get_data_info(0)


def test_half_precision_is_read_as_single(tmp_path, values):
    write(tmp_path / "k.npy", values.astype(np.float16), [f"{i}" for i in range(8)])
    row = KeypointArray(tmp_path / "k.npy")[3]
    assert row.dtype == np.float32
    np.testing.assert_allclose(row, values[3], atol=1e-3)


# --- errors ---------------------------------------------------------------------------


def test_pictures_without_a_row_are_counted(root, values):
    write(root / "keypoints.npy", values[:3], [NAMES[1], NAMES[0], "x.jpg"])
    with pytest.raises(
        ValueError, match=r"no row for 4 of 6 pictures, first 'c0/päth "
    ):
        listed(root)


def test_no_file_is_an_error_that_says_how_to_make_one(root):
    (root / "keypoints.npy").unlink()
    with pytest.raises(FileNotFoundError, match=r"keypoints\.npy.*add_keypoints\.py"):
        listed(root)


def test_no_list_is_an_error(root):
    (root / "keypoints.paths.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"lacks its list .*\.paths\.txt"):
        listed(root)


def test_a_list_of_another_run_is_an_error(root):
    write_paths(root / "keypoints.paths.txt", NAMES)
    with pytest.raises(ValueError, match=r"lists 6 pictures, but .* has 8 rows"):
        listed(root)


def test_a_picture_listed_twice_is_an_error(root, values):
    text = "".join(f"{name}\n" for name in [*NAMES, "x", "x"])
    (root / "keypoints.paths.txt").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"lists 'x' twice"):
        listed(root)
    with pytest.raises(ValueError, match=r"'x' is listed twice"):
        write_paths(root / "keypoints.paths.txt", ["x", "y", "x"])


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((8, 17, 2), np.float32),
        np.zeros((8, 51), np.float32),
        np.zeros((8, 17, 3)),
        np.float32(1),
    ],
)
def test_another_kind_of_array_is_an_error(root, wrong):
    np.save(root / "keypoints.npy", wrong)
    with pytest.raises(ValueError, match=r"expected float32 or float16 \(N, 17, 3\)"):
        listed(root)


def test_pickled_objects_are_not_read(root):
    np.save(root / "keypoints.npy", np.array([{}] * 8), allow_pickle=True)
    with pytest.raises(ValueError, match="no whole NumPy array"):
        listed(root)


@pytest.mark.parametrize(
    "header", [b"{'descr': (", b"1 + '", b"{'shape': 10**9}", b"\0"]
)
def test_a_broken_header_is_an_error(root, header):
    content = (root / "keypoints.npy").read_bytes()
    broken = content[:10] + header.ljust(118) + content[128:]
    (root / "keypoints.npy").write_bytes(broken)
    with pytest.raises(ValueError, match=r"keypoints\.npy .*no whole NumPy array"):
        listed(root)


def test_a_pickle_in_the_place_of_the_array_does_not_run(root, tmp_path):
    class Payload:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "canary"),)

    (root / "keypoints.npy").write_bytes(pickle.dumps(Payload()))
    with pytest.raises(ValueError, match="no whole NumPy array"):
        listed(root)
    assert not (tmp_path / "canary").exists()


def test_a_truncated_file_is_an_error(root):
    content = (root / "keypoints.npy").read_bytes()
    (root / "keypoints.npy").write_bytes(content[:-100])
    with pytest.raises(ValueError, match="no whole NumPy array"):
        listed(root)
