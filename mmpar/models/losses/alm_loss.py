"""The loss of ALM, as meant and as released."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from mmpar.models.losses.weighted_bce import WeightedBCELoss
from mmpar.registry import MODELS

FORMS = {"corrected": "exponential", "official": "exponential_positive"}
"""Form of the loss to the weighting of :func:`attribute_weights`."""


@MODELS.register_module()
class ALMLoss(WeightedBCELoss):
    """Weighted binary cross-entropy, averaged over images and attributes.

    In the released code a parenthesis closes too early, so that the weight multiplies
    the positive term alone and negatives count 1. ``official`` reproduces that, and is
    what the published figures were trained with; ``corrected`` weighs both terms, as
    the code computes but does not apply, as DeepMAR and every other method here: it is
    the default, so that methods are compared under one loss.

    Unknown labels (below 0) add nothing; the divisor stays all images and attributes.

    Args:
        form: ``'corrected'`` or ``'official'``.
        loss_weight: Factor of the result.
    """

    def __init__(self, form: str = "corrected", loss_weight: float = 1.0) -> None:
        if form not in FORMS:
            raise ValueError(f"form is one of {tuple(FORMS)}, got {form!r}")
        super().__init__(weighting=FORMS[form], loss_weight=loss_weight)

    def forward(self, logits: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """As :class:`WeightedBCELoss`, divided by the number of attributes."""
        return super().forward(logits, *args, **kwargs) / logits.shape[1]
