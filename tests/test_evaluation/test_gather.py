"""Every sample of a split counts once, whoever predicted it, whatever its type."""

import json

import numpy as np
import pytest
import torch

from mmpar.evaluation import AttributeLocalizationMetric, PARMetric
from mmpar.evaluation.gather import as_array, gather_samples, stack_rows
from tests.test_evaluation import test_localization_metric
from tests.test_evaluation.test_par_metric import evaluate, samples, samples_of_domains
from tests.test_tools.run import call_together

WORKER = "tests.test_evaluation.two_processes"


@pytest.mark.parametrize(
    "dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64, torch.int64]
)
def test_tensors_of_any_type_become_arrays(dtype):
    found = as_array(torch.tensor((-1, 0, 3)).to(dtype), np.float32)
    assert found.dtype == np.float32
    assert found.tolist() == [-1, 0, 3]


def test_lists_and_arrays_become_arrays():
    assert as_array([0.5, 1], np.float32).tolist() == [0.5, 1]
    assert as_array(np.array((1.0, -1.0)), np.int8).dtype == np.int8


def test_a_missing_sample_is_an_error():
    with pytest.raises(RuntimeError, match="11 different samples"):
        evaluate(PARMetric(), samples(), size=12)


def test_padding_duplicates_are_counted_once():
    data = samples()
    assert evaluate(PARMetric(), data + data[:3], size=11) == evaluate(
        PARMetric(), data
    )


def test_nothing_to_evaluate_is_an_error():
    with pytest.raises(RuntimeError, match="nothing to evaluate"):
        evaluate(PARMetric(), [], size=0)


def test_metric_without_schema_says_so():
    metric = PARMetric()
    metric.dataset_meta = {}
    metric.process(None, samples())
    with pytest.raises(ValueError, match="PARDataset"):
        metric.evaluate(11)


@pytest.mark.parametrize("round_up", [True, False])
def test_two_gloo_processes_give_the_numbers_of_one(round_up):
    # 11 samples in batches of 4 on two processes: the last round is not full.
    outputs = call_together(2, ["-m", WORKER, int(round_up)])
    expected = evaluate(PARMetric(), samples_of_domains())
    expected |= evaluate(
        AttributeLocalizationMetric(), test_localization_metric.samples()
    )
    assert {"par/domain_mean/mA", "localization/mean_iou"} <= expected.keys()
    for output in outputs:
        assert json.loads(output.splitlines()[-1]) == expected


def test_samples_are_in_the_order_of_the_dataset():
    """Joined datasets have the same indices; a path tells their samples apart."""
    given = [(2, "c"), (0, "a"), (1, "b"), (0, "z"), (2, "c")]
    given = [dict(sample_idx=index, img_path=path) for index, path in given]
    batches = [stack_rows(given[:3], dict), stack_rows(given[3:], dict)]
    for gathered in (batches, batches[::-1]):  # whoever had which
        columns = gather_samples(gathered, 4)
        assert columns["sample_idx"].tolist() == [0, 0, 1, 2]
        assert columns["img_path"].tolist() == ["a", "z", "b", "c"]
