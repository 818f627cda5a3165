"""Calibrated scores as a module: those of numpy, in torch and in ONNX."""

import numpy as np
import pytest
import torch

from mmpar.models.layers import CalibratedScores
from mmpar.structures import SCHEMAS, Calibration, DecisionRule, SetSoftmax
from tests.test_models.onnx_export import run_exported

SCHEMA = SCHEMAS["pa100k"]


def calibration(softmax):
    rng = np.random.default_rng(0)
    scale, bias = rng.uniform(0.3, 3, len(SCHEMA)), rng.normal(size=len(SCHEMA))
    return Calibration(SCHEMA, tuple(scale), tuple(bias), softmax)


CASES = {
    "none": None,
    "alone": calibration(()),
    "some sets": calibration((None, SetSoftmax(0.6, -1), None) * 2),
    "all sets": calibration(tuple(SetSoftmax(0.5 + i, i - 2) for i in range(6))),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_scores_are_those_of_numpy_in_torch_and_in_onnx(case):
    module = CalibratedScores(case).eval()
    assert not module.state_dict()
    logits = 5 * torch.randn(7, len(SCHEMA), generator=torch.Generator().manual_seed(1))
    logits[0] *= 1000
    expected = DecisionRule(SCHEMA, calibration=case).scores(logits.numpy())
    np.testing.assert_allclose(module(logits), expected, atol=1e-6)
    assert module(logits.bfloat16()).dtype == torch.float32
    exported = run_exported(module, [logits[:2]], [logits])
    np.testing.assert_allclose(exported, expected, atol=1e-6)
