"""What every PAR head shares: the schema, the positive ratios, loss and prediction."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any, Union

import torch
from mmengine.logging import print_log
from mmpretrain.models.heads import MultiLabelClsHead
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmpar.models.layers import CalibratedScores, ExclusiveLogOdds
from mmpar.models.losses import WeightedLoss
from mmpar.registry import MODELS
from mmpar.structures import (
    AttributeSchema,
    DecisionRule,
    SchemaMismatchError,
    Threshold,
    build_schema,
    build_thresholds,
    describe_thresholds,
)

Schema = Union[str, Mapping[str, Any], AttributeSchema]


class PARHead(MultiLabelClsHead):
    """Base of the heads: features to attribute logits in the schema's order.

    A subclass defines ``logits(feats) -> (B, A)``. The schema and the positive
    ratios of the training split are part of the state dict, so a checkpoint carries
    both, and loading it into a model of another schema is refused.

    Args:
        schema: Name of a published schema, dict or :class:`AttributeSchema`.
        loss: Config of the loss module, called as ``(logits, target, positive_ratio)``.
        exclusive_softmax: Whether the members of each exclusive set of the schema, and
            "none of them", compete in a softmax: their scores sum to 1 at most, and
            their loss is one cross-entropy. Otherwise each has a sigmoid of its own.
        threshold: A score above it is a positive, in ``pred_label`` and so in every
            metric and export. One number, one for each attribute in the order of the
            schema, or a mapping from attribute names (those not named have 0.5). Those
            that are not 0.5 are logged.
        init_cfg: As for every MMEngine module.

    Raises:
        ValueError: The loss does not take positive ratios, as those of mmpretrain; or
            an attribute is in two of the sets that shall compete.
    """

    positive_ratio: Tensor
    threshold: Tensor

    def __init__(
        self,
        schema: Schema,
        loss: dict | None = None,
        threshold: Threshold = 0.5,
        exclusive_softmax: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        # Built here: mmpretrain's head would look in its own registry first.
        module = MODELS.build(loss or dict(type="WeightedBCELoss", _scope_="mmpar"))
        _require_ratios(module)
        super().__init__(loss=module, init_cfg=init_cfg)
        self.schema = build_schema(schema)
        sets = self.schema.exclusive_indices if exclusive_softmax else ()
        _require_disjoint(sets, self.schema)
        self.log_odds = ExclusiveLogOdds(len(self.schema), sets)
        self._set_threshold(threshold)
        self.decision_rule: DecisionRule | None = None
        self.calibrated_scores = CalibratedScores(None)
        self.register_buffer(
            "positive_ratio", torch.full((len(self.schema),), float("nan"))
        )

    def logits(self, feats: Any, /) -> Tensor:
        """Logits ``(B, A)``; those of exclusive sets as their softmax takes them."""
        raise NotImplementedError(
            f"{type(self).__name__} must define logits(feats), which forward and loss "
            "call, as heads defined forward(feats) up to mmpar 0.1"
        )

    def forward(self, feats: Any, /) -> Tensor:
        """Logits ``(B, A)`` whose sigmoid is the score of each attribute."""
        return self.log_odds(self.logits(feats))

    def loss(
        self, feats: Any, /, data_samples: list[DataSample], **kwargs: Any
    ) -> dict[str, Tensor]:
        """The loss of a batch, ``data_samples`` with ``gt_score``."""
        return self._get_loss(self.logits(feats), data_samples, **kwargs)

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
        state = self.schema.to_dict()
        if self.log_odds.sets:  # versions without them refuse it
            state["exclusive_softmax"] = True
        text = json.dumps(state, sort_keys=True)
        return torch.tensor(list(text.encode()), dtype=torch.uint8)

    def set_extra_state(self, state: Tensor) -> None:
        """Refuse a checkpoint of another schema, or of scores of another kind.

        Raises:
            SchemaMismatchError: They differ.
        """
        found = json.loads(bytes(state.cpu().tolist()))
        competing = found.pop("exclusive_softmax", False)
        saved = build_schema(found)
        self.schema.require_same(saved, "the model", "the checkpoint")
        theirs = saved.exclusive_indices if competing else ()
        if {*map(frozenset, theirs)} != {*map(frozenset, self.log_odds.sets)}:
            raise SchemaMismatchError(
                "the checkpoint was trained with a softmax over "
                f"{_named(saved, theirs)}, the model has one over "
                f"{_named(self.schema, self.log_odds.sets)}; set "
                f"model.head.exclusive_softmax={competing}, with the exclusive sets "
                "that it was trained with"
            )

    def _get_loss(
        self, cls_score: Tensor, data_samples: list[DataSample], **kwargs: Any
    ) -> dict[str, Tensor]:
        # The type of the logits, unless it is too coarse for a soft label.
        dtype = torch.promote_types(cls_score.dtype, torch.float32)
        target = torch.stack([sample.gt_score for sample in data_samples]).to(dtype)
        sets = (self.log_odds.sets,) if self.log_odds.sets else ()
        loss = self.loss_module(cls_score, target, self.positive_ratio, *sets)
        return {"loss": loss}

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
        scores = self.calibrated_scores(logits)
        if self.decision_rule is None:
            return scores, scores > self.threshold
        decisions = self.decision_rule.decide(scores.detach().cpu().numpy())
        return scores, torch.from_numpy(decisions).to(scores.device)


def _require_ratios(loss: nn.Module) -> None:
    takes = inspect.signature(loss.forward).parameters
    if not isinstance(loss, WeightedLoss) and "positive_ratio" not in takes:
        name = type(loss).__name__
        raise ValueError(
            "the loss of a PAR head is called as (logits, target, positive_ratio), and "
            f"{name} is not; wrap it: loss=dict(type='MultiLabelLoss', "
            f"loss=dict(type='mmpretrain.{name}', ...))"
        )


def _require_disjoint(sets: Sequence[Sequence[int]], schema: AttributeSchema) -> None:
    members = [index for one in sets for index in one]
    twice = sorted({schema.names[i] for i in members if members.count(i) > 1})
    if twice:
        raise ValueError(
            f"exclusive_softmax needs exclusive sets without common members, but "
            f"{twice} of {schema.title!r} are in two; give a schema of your own with "
            "disjoint sets"
        )


def _named(schema: AttributeSchema, sets: Sequence[Sequence[int]]) -> list[list[str]]:
    return [[schema.names[index] for index in members] for members in sets]
