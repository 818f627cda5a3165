"""A keypoint array appears whole, and a stopped run goes on."""

import numpy as np
import pytest

from mmpar.datasets.formats.keypoint_array import KeypointArray
from mmpar.datasets.keypoints import UnfinishedKeypoints

PATHS = ["a.jpg", "b/ä.jpg", "c.jpg"]
VALUES = np.random.default_rng(0).uniform(0, 1, (3, 17, 3)).astype(np.float32)


def rows(*numbers):
    return np.array(numbers)


def test_a_stopped_run_goes_on_where_it_was(tmp_path):
    file = tmp_path / "out" / "k.npy"
    first = UnfinishedKeypoints(file, PATHS, "job")
    first.write(rows(2, 0), VALUES[[2, 0]])
    with pytest.raises(ValueError, match=r"1 rows of .*k\.npy are not written yet"):
        first.finish()
    assert not file.exists()
    second = UnfinishedKeypoints(file, PATHS, "job")
    assert second.remaining().tolist() == [1]
    second.write(rows(1), 0 * VALUES[[1]])
    assert second.people() == 2
    assert second.finish() == file
    array = KeypointArray(file)
    assert array.paths() == PATHS
    np.testing.assert_array_equal(array[2], VALUES[2])
    assert not array[1].any()
    assert sorted(p.name for p in file.parent.iterdir()) == ["k.npy", "k.paths.txt"]


@pytest.mark.parametrize("other", [(PATHS, "job 2"), (PATHS[::-1], "job")])
def test_rows_of_another_job_are_not_taken(tmp_path, other):
    UnfinishedKeypoints(tmp_path / "k.npy", PATHS, "job").write(rows(0), VALUES[:1])
    begun = UnfinishedKeypoints(tmp_path / "k.npy", *other)
    assert begun.remaining().tolist() == [0, 1, 2]


def test_a_run_replaces_a_former_result(tmp_path):
    for values in (VALUES, VALUES[::-1]):
        run = UnfinishedKeypoints(tmp_path / "k.npy", PATHS, "job")
        run.write(rows(0, 1, 2), values)
        run.finish()
    np.testing.assert_array_equal(KeypointArray(tmp_path / "k.npy")[0], VALUES[2])


def test_faulty_rows_are_an_error(tmp_path):
    run = UnfinishedKeypoints(tmp_path / "k.npy", PATHS, "job")
    with pytest.raises(ValueError, match="row 2 has a keypoint that is not finite"):
        run.write(rows(1, 2), np.stack([VALUES[0], np.full((17, 3), np.nan)]))
    with pytest.raises(ValueError, match="line break"):
        UnfinishedKeypoints(tmp_path / "l.npy", ["a\nb"], "job")
    with pytest.raises(ValueError, match=r"ends in \.npy"):
        UnfinishedKeypoints(tmp_path / "l.txt", PATHS, "job")


def test_keypoints_of_low_scores_are_dropped_and_counted(tmp_path):
    unfinished = UnfinishedKeypoints(tmp_path / "k.npy", PATHS, "job")
    unfinished.write(rows(0, 1, 2), VALUES)
    expected = np.where(VALUES[..., 2:] < 0.3, 0, VALUES)
    assert unfinished.drop_below(0.3) == (VALUES[..., 2] < 0.3).sum() > 0
    assert unfinished.drop_below(0.3) == 0
    array = KeypointArray(unfinished.finish())
    np.testing.assert_array_equal([array[i] for i in range(3)], expected)
