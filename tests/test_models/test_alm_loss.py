"""The loss of ALM in both forms, against a loop over labels."""

from __future__ import annotations

import math

import pytest
import torch

from mmpar.models import ALMLoss


def by_hand(
    logits: torch.Tensor, target: torch.Tensor, ratio: torch.Tensor, form: str
) -> float:
    total = 0.0
    for logit_row, label_row in zip(logits.tolist(), target.tolist()):
        for logit, label, r in zip(logit_row, label_row, ratio.tolist()):
            score = 1 / (1 + math.exp(-logit))
            if label == 1:
                total -= math.exp(1 - r) * math.log(score)
            elif label == 0:
                weight = math.exp(r) if form == "corrected" else 1.0
                total -= weight * math.log(1 - score)
    return total / target.numel()


@pytest.mark.parametrize("form", ["corrected", "official"])
def test_it_equals_the_sum_over_labels(form: str) -> None:
    torch.manual_seed(0)
    logits = torch.randn(6, 4, dtype=torch.float64)
    target = torch.randint(-1, 2, (6, 4)).double()
    ratio = torch.tensor([0.05, 0.3, 0.6, 0.95], dtype=torch.float64)
    expected = by_hand(logits, target, ratio, form)
    once = ALMLoss(form)(logits, target, ratio)
    assert once.item() == pytest.approx(expected, 1e-12)
    weighted = ALMLoss(form, loss_weight=2.5)(logits, target, ratio)
    assert weighted.item() == pytest.approx(2.5 * expected, 1e-12)


def test_the_forms_differ_only_where_labels_are_negative() -> None:
    logits, ratio = torch.tensor([[0.3, -0.2]]), torch.tensor([0.2, 0.7])
    present, absent = torch.ones(1, 2), torch.zeros(1, 2)
    official, corrected = ALMLoss("official"), ALMLoss("corrected")
    assert official(logits, present, ratio) == corrected(logits, present, ratio)
    assert official(logits, absent, ratio) < corrected(logits, absent, ratio)


def test_another_form_is_an_error() -> None:
    with pytest.raises(ValueError, match="'corrected', 'official'"):
        ALMLoss("published")
