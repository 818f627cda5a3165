"""The weighted loss equals its oracle, and unknown labels are nothing to it."""

import math

import pytest
import torch

from mmpar.models import WeightedBCELoss
from mmpar.models.losses.weighted_bce import attribute_weights
from tests.oracles.weighted_bce import weighted_bce

WEIGHTINGS = ("exponential", "square_root", "strong_baseline_square_root", None)


def problem(unknown=True):
    """Logits, targets and ratios, with ratios at both ends."""
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(6, 7, dtype=torch.float64, generator=generator)
    target = torch.randint(-1 if unknown else 0, 2, (6, 7), generator=generator)
    ratios = torch.rand(7, dtype=torch.float64, generator=generator)
    ratios[:2] = torch.tensor([0.0, 1.0])
    return logits.requires_grad_(), target.double(), ratios


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("unknown", [True, False])
def test_value_and_gradient_equal_the_oracle(weighting, unknown):
    logits, target, ratios = problem(unknown)
    fast = WeightedBCELoss(weighting)(logits, target, ratios)
    slow = weighted_bce(logits, target, ratios, weighting)
    torch.testing.assert_close(fast, slow, rtol=1e-12, atol=1e-12)
    (gradient,) = torch.autograd.grad(fast, logits)
    (expected,) = torch.autograd.grad(slow, logits)
    torch.testing.assert_close(gradient, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_gradients_pass_gradcheck(weighting):
    logits, target, ratios = problem()
    loss = WeightedBCELoss(weighting)
    assert torch.autograd.gradcheck(lambda x: loss(x, target, ratios), (logits,))


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_unknown_labels_add_nothing_to_the_loss(weighting):
    logits, target, ratios = problem()
    loss = WeightedBCELoss(weighting)
    value = loss(logits, target, ratios)
    (gradient,) = torch.autograd.grad(value, logits)
    unknown = target == -1
    assert unknown.any()
    assert (gradient[unknown] == 0).all()
    assert (gradient[~unknown] != 0).all()
    moved = logits.detach().clone()
    moved[unknown] = 1e4
    assert loss(moved, target, ratios) == value


def test_nothing_known_is_a_loss_of_zero_without_gradient():
    logits, target, ratios = problem()
    loss = WeightedBCELoss()(logits, torch.full_like(target, -1), ratios)
    assert loss == 0
    assert (torch.autograd.grad(loss, logits)[0] == 0).all()


def test_both_weightings_leave_balanced_attributes_even():
    target = torch.tensor([[1.0], [0.0]], dtype=torch.float64)
    logits = torch.zeros(2, 1, dtype=torch.float64)
    half = torch.tensor([0.5], dtype=torch.float64)
    plain = WeightedBCELoss(None)(logits, target, half)
    assert WeightedBCELoss("square_root")(logits, target, half) == plain
    exponential = WeightedBCELoss("exponential")(logits, target, half)
    torch.testing.assert_close(exponential, plain * torch.tensor(0.5).double().exp())


def test_a_soft_label_weighs_as_a_positive_above_a_half():
    target = torch.tensor([[0.4], [0.5], [0.6]], dtype=torch.float64)
    ratios = torch.tensor([0.2], dtype=torch.float64)
    weights = attribute_weights(target, ratios, "exponential").flatten()
    expected = [math.exp(0.2), math.exp(0.2), math.exp(0.8)]
    assert weights.tolist() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("ratio", "positive", "negative"),
    # sqrt(1 / (2 sqrt(r))) and sqrt(1 / (2 (1 - sqrt(r)))), by hand.
    [(0.01, 5**0.5, (5 / 9) ** 0.5), (0.25, 1.0, 1.0), (0.81, 0.745356, 5**0.5)],
)
def test_the_strong_baseline_has_a_second_root(ratio, positive, negative):
    target = torch.tensor([[1.0], [0.0]], dtype=torch.float64)
    ratios = torch.tensor([ratio], dtype=torch.float64)
    weights = attribute_weights(target, ratios, "strong_baseline_square_root")
    assert weights.flatten().tolist() == pytest.approx([positive, negative], rel=1e-6)
    single = attribute_weights(target, ratios.sqrt(), "square_root")
    torch.testing.assert_close(weights, single)


def test_the_loss_weight_multiplies():
    logits, target, ratios = problem()
    once = WeightedBCELoss()(logits, target, ratios)
    assert WeightedBCELoss(loss_weight=2.5)(logits, target, ratios) == 2.5 * once


@pytest.mark.parametrize("weighting", ["exponential", "square_root"])
def test_ratios_that_are_not_set_are_an_error_with_the_remedy(weighting):
    logits, target, ratios = problem()
    ratios[3] = float("nan")
    with pytest.raises(RuntimeError, match=r"PositiveRatioHook.*set_positive_ratio"):
        WeightedBCELoss(weighting)(logits, target, ratios)
    target[:, 3] = -1
    loss = WeightedBCELoss(weighting)(logits, target, ratios)
    assert loss.isfinite()
    assert torch.autograd.grad(loss, logits)[0].isfinite().all()


def test_ratios_are_not_asked_for_without_weights():
    logits, target, ratios = problem()
    loss = WeightedBCELoss(None)(logits, target, torch.full_like(ratios, float("nan")))
    assert loss.isfinite()


def test_an_unknown_weighting_is_an_error():
    with pytest.raises(ValueError, match=r"exponential.*square_root.*got 'linear'"):
        WeightedBCELoss("linear")
