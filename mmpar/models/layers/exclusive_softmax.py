"""Attributes of which a person has at most one, read by a softmax."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ExclusiveLogOdds(nn.Module):
    """Logits of exclusive sets to log odds, of which the sigmoid is the softmax.

    The answers of a set are its members and "none of them", whose logit is 0, so a set
    of one member is an attribute by itself. With z_i = l_i - logsumexp(0, l_j for j !=
    i), sigmoid(z_i) = softmax(0, l)_i: what reads logits one attribute at a time needs
    no knowledge of the sets. Attributes outside the sets are left alone.

    >>> log_odds = ExclusiveLogOdds(3, [(0, 2)])
    >>> log_odds(torch.tensor([[0.0, 5.0, 0.0]])).sigmoid()  # doctest: +ELLIPSIS
    tensor([[0.3333, 0.9933, 0.3333]])

    Args:
        num_attributes: A.
        sets: Positions of the members of each set; no attribute is in two.
    """

    def __init__(self, num_attributes: int, sets: Sequence[Sequence[int]]) -> None:
        super().__init__()
        self.sets = tuple(map(tuple, sets))
        members = [index for one in self.sets for index in one]
        self.alone = [i for i in range(num_attributes) if i not in members]
        places = self.alone + members
        self.order = [places.index(i) for i in range(num_attributes)]
        # Of each member the other answers, "none of them" last.
        self.others = [
            [[j for j in range(len(one) + 1) if j != i] for i in range(len(one))]
            for one in self.sets
        ]

    def forward(self, logits: Tensor) -> Tensor:
        """Log odds ``(B, A)`` of logits ``(B, A)``."""
        if not self.sets:
            return logits
        parts = [logits[:, self.alone]]
        for members, others in zip(self.sets, self.others):
            answers = F.pad(logits[:, list(members)], (0, 1))
            parts.append(answers[:, :-1] - answers[:, others].logsumexp(dim=2))
        return torch.cat(parts, dim=1)[:, self.order]


def exclusive_set_losses(
    logits: Tensor, labels: Tensor, label_smoothing: float
) -> Tensor:
    """Negative log-likelihood of the labels of one exclusive set.

    The answers that the labels leave open are the members labelled present, or else
    those unknown and "none of them"; the likelihood is their share of the softmax. So
    an image whose labels are all unknown has none, and one with two members present,
    against the rule, is told "one of the two".

    Args:
        logits: Of the members, ``(B, K)``; that of "none of them" is 0.
        labels: ``(B, K)``, 1 present, 0 absent, below 0 unknown.
        label_smoothing: Weight, in [0, 0.5), of the answers that the labels rule out.

    Returns:
        ``(B,)``. With K = 1 it is the binary cross-entropy.
    """
    present = labels > 0.5
    any_present = present.any(dim=1, keepdim=True)
    open_members = torch.where(any_present, present, labels < 0)
    is_open = torch.cat((open_members, ~any_present), dim=1)
    answers = F.pad(logits, (0, 1))
    total = answers.logsumexp(dim=1)
    loss = total - _logsumexp(answers, is_open)
    if label_smoothing:
        ruled_out = total - _logsumexp(answers, ~is_open)
        loss = (1 - label_smoothing) * loss + label_smoothing * ruled_out
    return torch.where(is_open.all(dim=1), torch.zeros_like(loss), loss)


def _logsumexp(answers: Tensor, chosen: Tensor) -> Tensor:
    # Not minus infinity, whose gradient is NaN where nothing is chosen.
    lowest = torch.finfo(answers.dtype).min
    return answers.masked_fill(~chosen, lowest).logsumexp(dim=1)
