"""What every PAR head shares: the schema, the positive ratios, loss and prediction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Union

import torch
from mmengine.logging import print_log
from mmpretrain.models.heads import MultiLabelClsHead
from mmpretrain.structures import DataSample
from torch import Tensor

from mmpar.models.layers import CalibratedScores
from mmpar.registry import MODELS
from mmpar.structures import (
    AttributeSchema,
    DecisionRule,
    Threshold,
    build_schema,
    build_thresholds,
    describe_thresholds,
)

Schema = Union[str, Mapping[str, Any], AttributeSchema]


class PARHead(MultiLabelClsHead):
    """Base of the heads: features to attribute logits in the schema's order.

    A subclass defines ``forward(feats) -> (B, A)`` logits. The schema and the positive
    ratios of the training split are part of the state dict, so a checkpoint carries
    both, and loading it into a model of another schema is refused.

    Args:
        schema: Name of a published schema, dict or :class:`AttributeSchema`.
        loss: Config of the loss module, called as ``(logits, target, positive_ratio)``.
        threshold: A score above it is a positive, in ``pred_label`` and so in every
            metric and export. One number, one for each attribute in the order of the
            schema, or a mapping from attribute names (those not named have 0.5). Those
            that are not 0.5 are logged.
        init_cfg: As for every MMEngine module.
    """

    positive_ratio: Tensor
    threshold: Tensor

    def __init__(
        self,
        schema: Schema,
        loss: dict | None = None,
        threshold: Threshold = 0.5,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(
            # Built here: mmpretrain's head would look in its own registry first.
            loss=MODELS.build(loss or dict(type="WeightedBCELoss")),
            init_cfg=init_cfg,
        )
        self.schema = build_schema(schema)
        self._set_threshold(threshold)
        self.decision_rule: DecisionRule | None = None
        self.calibrated_scores: CalibratedScores | None = None
        self.register_buffer(
            "positive_ratio", torch.full((len(self.schema),), float("nan"))
        )

    def _set_threshold(self, threshold: Threshold) -> None:
        self.thr = None  # mmpretrain's is one number and counts a score equal to it
        values = build_thresholds(threshold, self.schema)
        # Of the config, not of the checkpoint.
        self.register_buffer("threshold", torch.tensor(values), persistent=False)
        if any(value != 0.5 for value in values):
            print_log(
                "The model predicts an attribute when its score is above its "
                f"threshold: {describe_thresholds(values, self.schema)}",
                "current",
            )

    def set_decision_rule(self, rule: DecisionRule) -> None:
        """Predict by a fitted rule: its calibration, thresholds and exclusive sets.

        It replaces ``threshold``, and says so in the log.

        Raises:
            SchemaMismatchError: The rule is of another schema.
        """
        self.schema.require_same(rule.schema, "the model", "the decision rule")
        self.decision_rule = rule
        self.threshold.copy_(torch.tensor(rule.thresholds))
        self.calibrated_scores = CalibratedScores(rule.calibration).to(
            self.threshold.device
        )
        print_log(f"The model predicts by its decision rule: {rule}", "current")

    def set_positive_ratio(self, ratios: Sequence[float]) -> None:
        """Set the share of positives among the known labels of each attribute."""
        values = torch.as_tensor(ratios, dtype=self.positive_ratio.dtype)
        if values.shape != self.positive_ratio.shape:
            raise ValueError(
                f"got {tuple(values.shape)} positive ratios for the {len(self.schema)} "
                f"attributes of {self.schema.title!r}"
            )
        self.positive_ratio.copy_(values)

    def get_extra_state(self) -> Tensor:
        """The schema as JSON bytes; MMEngine expects only tensors in state dicts."""
        text = json.dumps(self.schema.to_dict(), sort_keys=True)
        return torch.tensor(list(text.encode()), dtype=torch.uint8)

    def set_extra_state(self, state: Tensor) -> None:
        """Refuse a checkpoint of another schema with :class:`SchemaMismatchError`."""
        saved = build_schema(json.loads(bytes(state.cpu().tolist())))
        self.schema.require_same(saved, "the model", "the checkpoint")

    def _get_loss(
        self, cls_score: Tensor, data_samples: list[DataSample], **kwargs: Any
    ) -> dict[str, Tensor]:
        # The type of the logits, unless it is too coarse for a soft label.
        dtype = torch.promote_types(cls_score.dtype, torch.float32)
        target = torch.stack([sample.gt_score for sample in data_samples]).to(dtype)
        return {"loss": self.loss_module(cls_score, target, self.positive_ratio)}

    def _get_predictions(
        self, cls_score: Tensor, data_samples: list[DataSample] | None
    ) -> list[DataSample]:
        scores, decisions = self._decide(cls_score)
        if data_samples is None:
            data_samples = [DataSample() for _ in scores]
        for sample, score, decision in zip(data_samples, scores, decisions):
            sample.set_pred_score(score).set_pred_label(decision.nonzero()[:, 0])
        return data_samples

    def _decide(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Scores and decisions ``(B, A)``."""
        if self.decision_rule is None or self.calibrated_scores is None:
            scores = logits.sigmoid()
            return scores, scores > self.threshold
        scores = self.calibrated_scores(logits)
        decisions = self.decision_rule.decide(scores.detach().cpu().numpy())
        return scores, torch.from_numpy(decisions).to(scores.device)
