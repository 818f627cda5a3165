"""A keypoint array appears whole, and its rows find their images in every process."""

import os
import pickle

import numpy as np
import pytest
import torch

from mmpar.datasets import AttributeListDataset, JointDataset
from mmpar.datasets.keypoints import KeypointArray, KeypointWriter
from mmpar.datasets.keypoints.keypoint_array import paths_file
from tests.fixtures.pa100k import write_images

NAMES = [f"c{i % 2}/päth {i}.jpg" for i in range(6)]
SCHEMA = dict(names=["Hat", "Bag"])
PIPELINE = [
    dict(type="LoadPersonImage"),
    dict(type="Resize", scale=(60, 160), keep_ratio=False),
    dict(type="PackPARInputs"),
]


def write_paths(file, names):
    text = "".join(f"{name}\n" for name in names)
    paths_file(file).write_text(text, encoding="utf-8")


def write(file, values, names):
    np.save(file, values)
    write_paths(file, names)
    return file


@pytest.fixture
def values():
    keypoints = np.random.default_rng(0).uniform(0, 1, (8, 17, 3)).astype(np.float32)
    keypoints[..., 2] = keypoints[..., 2] > 0.3
    return keypoints


@pytest.fixture
def root(tmp_path, values):
    """Six images; the array has eight rows, in another order."""
    write_images(tmp_path, NAMES)
    lines = "".join(f"{name} {i % 2} 1\n" for i, name in enumerate(NAMES))
    (tmp_path / "list.txt").write_text(lines, encoding="utf-8")
    names = ["other 0.jpg", *reversed(NAMES), "other 1.jpg"]
    write(tmp_path / "keypoints.npy", values, names)
    return tmp_path


def listed(root, **kwargs):
    args = dict(data_root=str(root), ann_file="list.txt", schema=SCHEMA)
    return AttributeListDataset(**args, keypoints="keypoints.npy", **kwargs)


# --- samples --------------------------------------------------------------------------


def test_each_sample_gets_the_row_of_its_image(root, values):
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
def test_workers_of_a_joint_dataset_read_the_same(root, values, method):
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


def test_scores_of_earlier_versions_are_read_as_visibility(tmp_path, values):
    scores = values * (1, 1, 0.4)
    write(tmp_path / "k.npy", scores.astype(np.float32), [f"{i}" for i in range(8)])
    array = KeypointArray(tmp_path / "k.npy")
    np.testing.assert_array_equal([array[i] for i in range(8)], values)


# --- writing --------------------------------------------------------------------------

PATHS = ["a.jpg", "b/ä.jpg", "c.jpg"]
VALUES = np.random.default_rng(0).uniform(0, 1, (3, 17, 3)).round(1).astype(np.float32)
VALUES[..., 2] = VALUES[..., 2] > 0.3


def rows(*numbers):
    return np.array(numbers)


def test_a_stopped_run_goes_on_where_it_was(tmp_path):
    file = tmp_path / "out" / "k.npy"
    first = KeypointWriter(file, PATHS, "job")
    first.write(rows(2, 0), VALUES[[2, 0]])
    with pytest.raises(ValueError, match=r"1 rows of .*k\.npy are not written yet"):
        first.finish()
    assert not file.exists()
    second = KeypointWriter(file, PATHS, "job")
    assert second.remaining().tolist() == [1]
    second.write(rows(1), 0 * VALUES[[1]])
    assert second.num_people() == 2
    assert second.finish() == file
    array = KeypointArray(file)
    assert array.paths() == PATHS
    np.testing.assert_array_equal(array[2], VALUES[2])
    assert not array[1].any()
    assert sorted(p.name for p in file.parent.iterdir()) == ["k.npy", "k.paths.txt"]


@pytest.mark.parametrize("other", [(PATHS, "job 2"), (PATHS[::-1], "job")])
def test_rows_of_another_job_are_not_taken(tmp_path, other):
    KeypointWriter(tmp_path / "k.npy", PATHS, "job").write(rows(0), VALUES[:1])
    begun = KeypointWriter(tmp_path / "k.npy", *other)
    assert begun.remaining().tolist() == [0, 1, 2]


def test_a_run_replaces_a_former_result(tmp_path):
    for values in (VALUES, VALUES[::-1]):
        run = KeypointWriter(tmp_path / "k.npy", PATHS, "job")
        run.write(rows(0, 1, 2), values)
        run.finish()
    np.testing.assert_array_equal(KeypointArray(tmp_path / "k.npy")[0], VALUES[2])


def test_faulty_rows_are_an_error(tmp_path):
    run = KeypointWriter(tmp_path / "k.npy", PATHS, "job")
    with pytest.raises(ValueError, match="row 2 has a keypoint that is not finite"):
        run.write(rows(1, 2), np.stack([VALUES[0], np.full((17, 3), np.nan)]))
    with pytest.raises(ValueError, match=r"have a visibility of 0\.5"):
        run.write(rows(1), VALUES[:1] / 2)
    with pytest.raises(ValueError, match="'x' is listed twice"):
        KeypointWriter(tmp_path / "l.npy", ["x", "y", "x"], "job")
    with pytest.raises(ValueError, match="line break"):
        KeypointWriter(tmp_path / "l.npy", ["a\nb"], "job")
    with pytest.raises(ValueError, match=r"ends in \.npy"):
        KeypointWriter(tmp_path / "l.txt", PATHS, "job")


# --- errors ---------------------------------------------------------------------------


def test_images_without_a_row_are_counted(root, values):
    write(root / "keypoints.npy", values[:3], [NAMES[1], NAMES[0], "x.jpg"])
    with pytest.raises(ValueError, match=r"no row for 4 of 6 images, first 'c0/päth "):
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
    write_paths(root / "keypoints.npy", NAMES)
    with pytest.raises(ValueError, match=r"lists 6 images, but .* has 8 rows"):
        listed(root)


def test_an_image_listed_twice_is_an_error(root, values):
    write_paths(root / "keypoints.npy", [*NAMES, "x", "x"])
    with pytest.raises(ValueError, match=r"lists 'x' twice"):
        listed(root)


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
    with pytest.raises(ValueError, match="not a whole NumPy array"):
        listed(root)


@pytest.mark.parametrize(
    "header", [b"{'descr': (", b"1 + '", b"{'shape': 10**9}", b"\0"]
)
def test_a_broken_header_is_an_error(root, header):
    content = (root / "keypoints.npy").read_bytes()
    broken = content[:10] + header.ljust(118) + content[128:]
    (root / "keypoints.npy").write_bytes(broken)
    with pytest.raises(ValueError, match=r"keypoints\.npy .*not a whole NumPy array"):
        listed(root)


def test_a_pickle_in_the_place_of_the_array_does_not_run(root, tmp_path):
    class Payload:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "canary"),)

    (root / "keypoints.npy").write_bytes(pickle.dumps(Payload()))
    with pytest.raises(ValueError, match="not a whole NumPy array"):
        listed(root)
    assert not (tmp_path / "canary").exists()


def test_a_truncated_file_is_an_error(root):
    content = (root / "keypoints.npy").read_bytes()
    (root / "keypoints.npy").write_bytes(content[:-100])
    with pytest.raises(ValueError, match="not a whole NumPy array"):
        listed(root)
