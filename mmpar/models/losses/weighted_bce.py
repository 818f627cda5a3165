"""Losses of single labels, weighted by how rare each attribute is."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmpar.models.layers import exclusive_set_losses
from mmpar.registry import MODELS

WEIGHTINGS = (
    "exponential",
    "exponential_positive",
    "square_root",
    "strong_baseline_square_root",
)


def attribute_weights(target: Tensor, positive_ratio: Tensor, weighting: str) -> Tensor:
    """Weight of every label from the share of positives r of its attribute.

    - ``exponential``: exp(1 - r) for a positive, exp(r) for a negative (DeepMAR, Li et
      al., ACPR 2015; used by the Strong Baseline and SSPNet).
    - ``exponential_positive``: exp(1 - r) for a positive, 1 for a negative (the
      released code of ALM, see :class:`mmpar.models.losses.ALMLoss`).
    - ``square_root``: sqrt(1 / (2 r)) and sqrt(1 / (2 (1 - r))) (JLAC, Tan et al., AAAI
      2020), r kept within [1e-4, 1 - 1e-4] so that weights stay finite. Both are 1 at
      r = 0.5.
    - ``strong_baseline_square_root``: the same with a second root, sqrt(r) in place of
      r, as the Strong Baseline's code has it (``ratio2weight``, "AAAI"): 2.236 and
      0.745 at r = 0.01. It weighs even a balanced attribute unevenly, but its published
      figure was measured with it.

    Args:
        target: ``(B, A)``, positive where above 0.5.
        positive_ratio: r, ``(A,)`` in [0, 1].
        weighting: One of ``WEIGHTINGS``.

    Returns:
        ``(B, A)``.
    """
    if weighting == "exponential":
        positive, negative = (1 - positive_ratio).exp(), positive_ratio.exp()
    elif weighting == "exponential_positive":
        positive = (1 - positive_ratio).exp()
        negative = torch.ones_like(positive)
    else:
        ratio = positive_ratio.clamp(1e-4, 1 - 1e-4)
        if weighting == "strong_baseline_square_root":
            ratio = ratio.sqrt()
        positive, negative = (0.5 / ratio).sqrt(), (0.5 / (1 - ratio)).sqrt()
    return torch.where(target > 0.5, positive, negative)


class WeightedLoss(nn.Module):
    """Base: a weighted loss, summed over attributes, averaged over images.

    Unknown labels (below 0) add nothing.

    Args:
        weighting: One of ``WEIGHTINGS``, see :func:`attribute_weights`, or None.
        loss_weight: Factor of the result.
    """

    def __init__(self, weighting: str | None, loss_weight: float) -> None:
        super().__init__()
        if weighting is not None and weighting not in WEIGHTINGS:
            raise ValueError(
                f"weighting is one of {WEIGHTINGS} or None, got {weighting!r}"
            )
        self.weighting = weighting
        self.loss_weight = loss_weight

    def label_losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss of each label, ``(B, A)``, from logits and labels in {0, 1}."""
        raise NotImplementedError

    def set_losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss of one exclusive set, ``(B,)``, from ``(B, K)``; -1 is unknown."""
        raise ValueError(
            f"{type(self).__name__} judges every attribute by itself, but the head has "
            "exclusive_softmax=True; train it with WeightedBCELoss"
        )

    def forward(
        self,
        logits: Tensor,
        target: Tensor,
        positive_ratio: Tensor,
        sets: Sequence[Sequence[int]] = (),
    ) -> Tensor:
        """Compute the loss.

        Args:
            logits: ``(B, A)``.
            target: ``(B, A)``, 1 present, 0 absent, -1 unknown.
            positive_ratio: Share of positives in the training split, ``(A,)``.
            sets: Positions of the members of exclusive sets whose answers compete in a
                softmax. Each counts as one label. Its weight is that of a label of the
                members present, or of those absent, as if they were one attribute.

        Returns:
            Scalar.

        Raises:
            RuntimeError: Weights are needed, and an attribute with known labels has no
                positive ratio (NaN).
        """
        logits = logits.to(target)  # under autocast they are of half precision
        known = target >= 0
        labels = target.clamp(min=0)
        losses = self.label_losses(logits, labels)
        if self.weighting is not None:
            weights = attribute_weights(labels, positive_ratio, self.weighting)
            self._check(weights, known)
        else:
            weights = torch.ones_like(losses)
        known[:, [index for members in sets for index in members]] = False
        # Not by masking the product: 0 * NaN would still reach the gradient.
        weights = torch.where(known, weights, torch.zeros_like(weights))
        total = (losses * weights).sum()
        for members in map(list, sets):
            of_set = target[:, members]
            of_answers = self.set_losses(logits[:, members], of_set)
            weights = self._set_weights(of_set, positive_ratio[members])
            total = total + (of_answers * weights).sum()
        return self.loss_weight * total / len(logits)

    def _set_weights(self, target: Tensor, positive_ratio: Tensor) -> Tensor:
        """``(B,)`` from ``(B, K)`` and ``(K,)``."""
        if self.weighting is None:
            return torch.ones_like(target[:, 0])
        present = target > 0.5
        any_present = present.any(dim=1)
        told = torch.where(any_present[:, None], present, target == 0)
        ratio = torch.where(told, positive_ratio, torch.zeros_like(target)).sum(dim=1)
        return attribute_weights(any_present, ratio.clamp(max=1), self.weighting)

    def _check(self, weights: Tensor, known: Tensor) -> None:
        if (weights.isnan() & known).any():
            raise RuntimeError(
                "the loss is weighted by positive ratios, which are not set for every "
                "labelled attribute. Add positive_ratio=dict(type='PositiveRatioHook') "
                "to default_hooks, or call model.head.set_positive_ratio(...)"
            )


@MODELS.register_module()
class WeightedBCELoss(WeightedLoss):
    """Weighted binary cross-entropy, summed over attributes, averaged over images.

    Unknown labels (below 0) add nothing.

    Args:
        weighting: One of ``WEIGHTINGS``, see :func:`attribute_weights`, or None.
        loss_weight: Factor of the result.
        label_smoothing: s in [0, 0.5): a positive is learned as 1 - s, a negative as s,
            which keep their weights.
    """

    def __init__(
        self,
        weighting: str | None = "exponential",
        loss_weight: float = 1.0,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weighting, loss_weight)
        if not 0 <= label_smoothing < 0.5:
            raise ValueError(f"label_smoothing is in [0, 0.5), got {label_smoothing}")
        self.label_smoothing = label_smoothing

    def label_losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Binary cross-entropy ``(B, A)``."""
        if self.label_smoothing:
            labels = labels + self.label_smoothing * (1 - 2 * labels)
        return F.binary_cross_entropy_with_logits(logits, labels, reduction="none")

    def set_losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """See :func:`exclusive_set_losses`."""
        return exclusive_set_losses(logits, labels, self.label_smoothing)


@MODELS.register_module()
class MultiLabelLoss(WeightedLoss):
    """A loss of mmpretrain for single labels: focal, asymmetric.

    >>> loss = MultiLabelLoss(dict(type="mmpretrain.FocalLoss", gamma=2.0, alpha=0.5))
    >>> labels = torch.tensor([[1.0, 0.0, -1.0]])  # the last is unknown
    >>> loss(torch.zeros(1, 3), labels, torch.zeros(3))
    tensor(0.1733)

    Args:
        loss: Config of a loss that is called as ``(logits, labels,
            reduction_override='none')``, such as ``mmpretrain.FocalLoss`` and
            ``mmpretrain.AsymmetricLoss``.
        weighting: One of ``WEIGHTINGS``, see :func:`attribute_weights`, or None.
        loss_weight: Factor of the result.
    """

    def __init__(
        self, loss: dict, weighting: str | None = None, loss_weight: float = 1.0
    ) -> None:
        super().__init__(weighting, loss_weight)
        self.loss = MODELS.build(loss)

    def label_losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss of each label, ``(B, A)``."""
        count = logits.shape[1]
        # A single column would be taken for the numbers of classes.
        logits, labels = (F.pad(one, (0, int(count == 1))) for one in (logits, labels))
        return self.loss(logits, labels, reduction_override="none")[:, :count]
