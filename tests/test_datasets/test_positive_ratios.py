"""Positive ratios equal a plain count over the samples that are seen."""

import math

import numpy as np
import pytest
import torch
from mmengine.dataset import ClassBalancedDataset, ConcatDataset, RepeatDataset
from torch.utils.data import Subset, TensorDataset

from mmpar.datasets import PARDataset, positive_ratios
from mmpar.datasets.formats import AnnotationTable
from mmpar.datasets.positive_ratios import count_labels, one_sided_attributes


class Drawn(PARDataset):
    """Random labels, no images."""

    SCHEMA = dict(names=list("abcdef"))

    def __init__(self, *, seed=0, count=50, **kwargs):
        self.seed, self.count = seed, count
        super().__init__(**kwargs)

    def load_annotations(self):
        labels = np.random.default_rng(self.seed).integers(-1, 2, (self.count, 6))
        return AnnotationTable.of(map(str, range(self.count)), labels)

    def find_missing(self, table):
        return np.empty(0, np.int64)


def counted(dataset):
    """Ratios by looking at each sample that an epoch yields, one at a time."""
    ones, known = [0] * 6, [0] * 6
    for i in range(len(dataset)):
        for a, label in enumerate(dataset[i]["gt_score"].tolist()):
            ones[a] += label == 1
            known[a] += label in (0, 1)
    return [o / k for o, k in zip(ones, known)]


@pytest.mark.parametrize(
    "dataset",
    [
        Drawn(),
        Drawn(indices=20),
        Drawn().get_subset([3, 3, 3, 17, 20, 21, 22]),
        RepeatDataset(Drawn(), times=3),
        ConcatDataset([Drawn(seed=1), Drawn(seed=2, count=90)]),
        ClassBalancedDataset(Drawn(), oversample_thr=0.5),
        Subset(Drawn(), list(range(10, 30)) + [12, 12]),
        Subset(ConcatDataset([Drawn(seed=3), Drawn(seed=4)]), [0, 49, 50, 99, 99]),
        Subset(RepeatDataset(Drawn(count=25), times=2), list(range(5, 40))),
    ],
    ids=lambda dataset: type(dataset).__name__,
)
def test_ratios_equal_a_count_of_each_sample_seen(dataset):
    ratios = positive_ratios(dataset)
    assert ratios.dtype == np.float64
    np.testing.assert_allclose(ratios, counted(dataset), rtol=0, atol=1e-15)


def test_class_balancing_changes_what_is_seen():
    plain = Drawn(seed=4)
    balanced = ClassBalancedDataset(plain, oversample_thr=0.6)
    assert len(balanced) > len(plain)
    assert not np.allclose(positive_ratios(balanced), positive_ratios(plain))


def test_the_method_and_the_function_agree():
    dataset = Drawn()
    assert dataset.positive_ratios().tolist() == positive_ratios(dataset).tolist()


def test_a_lazy_data_set_is_read_first():
    lazy = RepeatDataset(Drawn(lazy_init=True), times=2, lazy_init=True)
    assert positive_ratios(lazy).tolist() == Drawn().positive_ratios().tolist()


def test_an_attribute_that_nobody_labelled_gets_one_half_and_a_warning():
    dataset = Drawn()
    dataset.table.labels[:, 2] = -1
    with pytest.warns(UserWarning, match=r"no sample has a known label for \['c'\]"):
        ratios = dataset.positive_ratios()
    assert ratios[2] == 0.5
    assert not math.isnan(ratios.sum())


def test_counts_over_many_rows_equal_counts_of_the_whole():
    labels = np.random.default_rng(0).integers(-1, 2, (200_001, 4)).astype(np.int8)
    times = np.random.default_rng(1).integers(0, 5, 200_001)
    for weights in (None, times):
        ones, known = count_labels(labels, weights)
        weight = np.ones(200_001, np.int64) if weights is None else weights
        assert ones.tolist() == [int(weight[c == 1].sum()) for c in labels.T]
        assert known.tolist() == [int(weight[c != -1].sum()) for c in labels.T]


def test_datasets_of_other_attributes_cannot_be_counted_together():
    other = Drawn(schema=dict(names=list("fedcba")))
    both = ConcatDataset([Drawn(), other], ignore_keys=["classes", "schema"])
    with pytest.raises(ValueError, match=r"different attributes: \['a', 'b'"):
        positive_ratios(both)


def test_an_unknown_wrapper_is_an_error_that_names_it():
    with pytest.raises(TypeError, match="labels of a TensorDataset; supported are"):
        positive_ratios(TensorDataset(torch.zeros(3)))


def test_attributes_of_one_kind_of_label_are_named_with_their_counts():
    labels = np.array([[1, 0, 1, -1, -1], [1, 0, 0, -1, 1], [-1, 0, 1, -1, -1]])
    found = one_sided_attributes(*count_labels(labels), names=list("abcde"))
    assert found == {
        "a": "no known negative among 2 labels",
        "b": "no positive among 3 known labels",
        "e": "no known negative among 1 labels",
    }


def test_one_sided_attributes_count_samples_as_often_as_they_are_drawn():
    labels = np.array([[1, 1], [1, 0], [1, 1]])
    counts = count_labels(labels, np.array([0.1, 1e6, 0.2]))
    assert one_sided_attributes(*counts, names=["a", "b"]) == {
        "a": "no known negative among 1,000,000.3 labels"
    }
    counts = count_labels(labels, np.array([1, 0, 1]))
    assert list(one_sided_attributes(*counts, names=["a", "b"])) == ["a", "b"]


def test_images_without_any_known_label_cannot_be_trained_on():
    class Unlabelled(Drawn):
        METAINFO = dict(dataset_name="Drawn")

        def load_annotations(self):
            labels = np.full((self.count, 6), -1)
            return AnnotationTable.of(map(str, range(self.count)), labels)

    with pytest.raises(ValueError, match="none of the 100 images to train on has"):
        positive_ratios(ConcatDataset([Unlabelled(), Unlabelled()]))
    known_in_one = ConcatDataset([Unlabelled(), Drawn(seed=5)])
    assert (
        positive_ratios(known_in_one).tolist()
        == positive_ratios(Drawn(seed=5)).tolist()
    )
