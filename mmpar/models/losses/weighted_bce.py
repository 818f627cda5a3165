"""Binary cross-entropy weighted by how rare each attribute is."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

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


@MODELS.register_module()
class WeightedBCELoss(nn.Module):
    """Weighted binary cross-entropy, summed over attributes, averaged over images.

    Unknown labels (below 0) add nothing.

    Args:
        weighting: One of ``WEIGHTINGS``, see :func:`attribute_weights`, or None.
        loss_weight: Factor of the result.
    """

    def __init__(
        self, weighting: str | None = "exponential", loss_weight: float = 1.0
    ) -> None:
        super().__init__()
        if weighting is not None and weighting not in WEIGHTINGS:
            raise ValueError(
                f"weighting is one of {WEIGHTINGS} or None, got {weighting!r}"
            )
        self.weighting = weighting
        self.loss_weight = loss_weight

    def forward(self, logits: Tensor, target: Tensor, positive_ratio: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            logits: ``(B, A)``.
            target: ``(B, A)``, 1 present, 0 absent, -1 unknown.
            positive_ratio: Share of positives in the training split, ``(A,)``.

        Returns:
            Scalar.

        Raises:
            RuntimeError: Weights are needed, and an attribute with known labels has no
                positive ratio (NaN).
        """
        known = target >= 0
        labels = target.clamp(min=0)
        loss = F.binary_cross_entropy_with_logits(logits, labels, reduction="none")
        if self.weighting is not None:
            weights = attribute_weights(labels, positive_ratio, self.weighting)
            self._check(weights, known)
        else:
            weights = torch.ones_like(loss)
        # Not by masking the product: 0 * NaN would still reach the gradient.
        weights = torch.where(known, weights, torch.zeros_like(weights))
        return self.loss_weight * (loss * weights).sum() / len(logits)

    def _check(self, weights: Tensor, known: Tensor) -> None:
        if (weights.isnan() & known).any():
            raise RuntimeError(
                "the loss is weighted by positive ratios, which are not set for every "
                "labelled attribute. Add positive_ratio=dict(type='PositiveRatioHook') "
                "to default_hooks, or call model.head.set_positive_ratio(...)"
            )
