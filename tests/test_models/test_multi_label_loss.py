"""Losses of mmpretrain for single labels, and label smoothing."""

import math

import pytest
import torch

from mmpar.models import LinearPARHead, MultiLabelLoss, WeightedBCELoss
from tests.oracles.weighted_bce import label_weight

RATIOS = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)


def problem():
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(8, 3, dtype=torch.float64, generator=generator)
    target = torch.randint(-1, 2, (8, 3), generator=generator).double()
    return logits.requires_grad_(), target


def focal(p, label, gamma=1.5, alpha=0.3):
    """Lin et al., arXiv 1708.02002, equation 5."""
    p = p if label else 1 - p
    return -(alpha if label else 1 - alpha) * (1 - p) ** gamma * math.log(p)


def asymmetric(p, label, positive=1.0, negative=4.0, margin=0.05):
    """Ridnik et al., arXiv 2009.14119, equations 5 to 7."""
    if label:
        return -((1 - p) ** positive) * math.log(p)
    p = max(p - margin, 0)
    return -(p**negative) * math.log(1 - p)


LOSSES = {
    "focal": (focal, dict(type="mmpretrain.FocalLoss", gamma=1.5, alpha=0.3)),
    "asymmetric": (
        asymmetric,
        dict(type="mmpretrain.AsymmetricLoss", gamma_pos=1.0, gamma_neg=4.0, clip=0.05),
    ),
}


@pytest.mark.parametrize("weighting", ["exponential", None])
@pytest.mark.parametrize("name", LOSSES)
def test_known_labels_have_the_loss_of_the_paper(name, weighting):
    formula, config = LOSSES[name]
    logits, target = problem()
    expected = 0.0
    for logit_row, row in zip(logits.tolist(), target.tolist()):
        for logit, label, ratio in zip(logit_row, row, RATIOS.tolist()):
            if label >= 0:
                p = 1 / (1 + math.exp(-logit))
                expected += label_weight(label, ratio, weighting) * formula(p, label)
    found = MultiLabelLoss(config, weighting)(logits, target, RATIOS)
    assert found.item() == pytest.approx(expected / 8, rel=1e-9)
    (gradient,) = torch.autograd.grad(found, logits)
    assert (gradient[target < 0] == 0).all()
    assert gradient.isfinite().all()


def test_label_smoothing_learns_a_positive_as_less_than_certain():
    logits, target = problem()
    smooth = WeightedBCELoss(label_smoothing=0.1)
    found = smooth(logits, target, RATIOS)
    expected = 0.0
    for logit_row, row in zip(logits.tolist(), target.tolist()):
        for logit, label, ratio in zip(logit_row, row, RATIOS.tolist()):
            if label >= 0:
                p = 1 / (1 + math.exp(-logit))
                share = 0.9 if label else 0.1
                loss = -share * math.log(p) - (1 - share) * math.log(1 - p)
                expected += label_weight(label, ratio, "exponential") * loss
    assert found.item() == pytest.approx(expected / 8, rel=1e-12)


def test_label_smoothing_leaves_a_label_of_a_half_alone():
    logits, target = problem()
    half = torch.full_like(target, 0.5)
    smooth = WeightedBCELoss(label_smoothing=0.1)(logits, half, RATIOS)
    assert smooth == WeightedBCELoss()(logits, half, RATIOS)


@pytest.mark.parametrize("smoothing", [-0.1, 0.5])
def test_label_smoothing_that_turns_labels_over_is_an_error(smoothing):
    with pytest.raises(ValueError, match=r"\[0, 0.5\)"):
        WeightedBCELoss(label_smoothing=smoothing)


@pytest.mark.parametrize("name", ["FocalLoss", "AsymmetricLoss", "CrossEntropyLoss"])
def test_a_bare_loss_of_mmpretrain_is_refused_with_the_remedy(name):
    with pytest.raises(ValueError, match=rf"MultiLabelLoss.*mmpretrain\.{name}"):
        LinearPARHead("peta", 4, loss=dict(type=f"mmpretrain.{name}"))


@pytest.mark.parametrize("name", LOSSES)
def test_one_attribute_is_no_number_of_a_class(name):
    formula, config = LOSSES[name]
    logits = torch.tensor([[5.0], [5.0], [-1.0]], dtype=torch.float64)
    target = torch.tensor([[0.0], [1.0], [-1.0]], dtype=torch.float64)
    p = 1 / (1 + math.exp(-5))
    found = MultiLabelLoss(config)(logits, target, RATIOS[:1])
    assert found.item() == pytest.approx((formula(p, 0) + formula(p, 1)) / 3, rel=1e-9)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", LOSSES)
def test_logits_of_half_precision_have_a_loss_of_single(name, dtype):
    _, config = LOSSES[name]
    logits = torch.tensor([[-20.0, 20.0, 3.0]], dtype=dtype).requires_grad_()
    target = torch.tensor([[1.0, 0.0, 1.0]])
    loss = MultiLabelLoss(config)
    found = loss(logits, target, RATIOS.float())
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, loss(logits.float(), target, RATIOS.float()))
    assert torch.autograd.grad(found, logits)[0].isfinite().all()
