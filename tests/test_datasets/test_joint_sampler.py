"""Weights draw from each dataset as often as they say, anew each epoch."""

import numpy as np
import pytest

from mmpar.datasets import JointSampler, positive_ratios
from tests.test_datasets.test_joint import joint

WEIGHTS = [(1, 1), (2, 1), (0.5, 3), (1.25, 2.5)]


@pytest.mark.parametrize("weights", WEIGHTS)
def test_weights_say_how_often_each_data_set_is_drawn(tmp_path, weights):
    sampler = JointSampler(joint(tmp_path), weights, seed=0)
    often = np.bincount(list(sampler), minlength=6)
    assert len(sampler) == often.sum()
    for part, weight, size in zip((often[:4], often[4:]), weights, (4, 2)):
        assert part.sum() == weight * size
        assert set(part) <= {int(weight), int(np.ceil(weight))}


def test_every_epoch_draws_anew_and_over_time_all_equally(tmp_path):
    sampler = JointSampler(joint(tmp_path), (0.5, 1), seed=0)
    often = np.zeros(6)
    halves = set()
    for epoch in range(400):
        sampler.set_epoch(epoch)
        drawn = list(sampler)
        assert drawn == list(sampler)
        halves.add(frozenset(i for i in drawn if i < 4))
        often += np.bincount(drawn, minlength=6)
    assert len(halves) == 6  # all pairs of four
    np.testing.assert_allclose(often / 400, sampler.sample_weights(), atol=0.1)


def test_processes_share_one_draw(tmp_path, monkeypatch):
    dataset = joint(tmp_path)
    whole = list(JointSampler(dataset, (1.25, 1), seed=3))
    shares = []
    for rank in range(2):
        where = "mmpar.datasets.joint.get_dist_info"
        monkeypatch.setattr(where, lambda rank=rank: (rank, 2))
        sampler = JointSampler(dataset, (1.25, 1), seed=3)
        shares.append(list(sampler))
        assert len(sampler) == len(shares[-1]) == 4
    merged = [i for pair in zip(*shares) for i in pair]
    assert merged == [*whole, whole[0]]


@pytest.mark.parametrize("weights", WEIGHTS)
def test_positive_ratios_are_those_that_the_weights_expect(tmp_path, weights):
    dataset = joint(tmp_path)
    times = JointSampler(dataset, weights, seed=0).sample_weights()
    labels = [dataset.get_data_info(i)["gt_score"] for i in range(len(dataset))]
    for a, ratio in enumerate(positive_ratios(dataset, times)):
        known = [(w, float(row[a])) for w, row in zip(times, labels) if row[a] != -1]
        expected = sum(w * x for w, x in known) / sum(w for w, _ in known)
        assert ratio == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(
    ("weights", "match"),
    [
        ([1], "2 datasets have 1 weights"),
        ([1, 0], r"weights are positive, got \[1, 0\]"),
        ([0.01, 0.01], "draw no sample"),
    ],
)
def test_wrong_weights_are_an_error_that_says_what(tmp_path, weights, match):
    with pytest.raises(ValueError, match=match):
        JointSampler(joint(tmp_path), weights)


def test_it_draws_from_joint_datasets_only(tmp_path):
    with pytest.raises(TypeError, match="from a JointDataset, got AttributeListD"):
        JointSampler(joint(tmp_path).datasets[0], [1])
