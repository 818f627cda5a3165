"""What every PAR head shares: the schema, the positive ratios, loss and prediction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Union

import torch
from mmpretrain.models.heads import MultiLabelClsHead
from mmpretrain.structures import DataSample
from torch import Tensor

from mmpar.registry import MODELS
from mmpar.structures import AttributeSchema, build_schema

Schema = Union[str, Mapping[str, Any], AttributeSchema]


class PARHead(MultiLabelClsHead):
    """Base of the heads: features to attribute logits in the schema's order.

    A subclass defines ``forward(feats) -> (B, A)`` logits. The schema and the positive
    ratios of the training split are part of the state dict, so a checkpoint carries
    both, and loading it into a model of another schema is refused.

    Args:
        schema: Name of a published schema, dict or :class:`AttributeSchema`.
        loss: Config of the loss module, called as ``(logits, target, positive_ratio)``.
        threshold: Scores from here on are ``pred_label`` positives.
        init_cfg: As for every MMEngine module.
    """

    positive_ratio: Tensor

    def __init__(
        self,
        schema: Schema,
        loss: dict | None = None,
        threshold: float = 0.5,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(
            # Built here: mmpretrain's head would look in its own registry first.
            loss=MODELS.build(loss or dict(type="WeightedBCELoss")),
            thr=threshold,
            init_cfg=init_cfg,
        )
        self.schema = build_schema(schema)
        self.register_buffer(
            "positive_ratio", torch.full((len(self.schema),), float("nan"))
        )

    def set_positive_ratio(self, ratios: Sequence[float]) -> None:
        """Take over the share of positives among the known labels, one an attribute."""
        values = torch.as_tensor(ratios, dtype=self.positive_ratio.dtype)
        if values.shape != self.positive_ratio.shape:
            raise ValueError(
                f"got {tuple(values.shape)} positive ratios for the {len(self.schema)} "
                f"attributes of {self.schema.title!r}"
            )
        self.positive_ratio.copy_(values)

    def get_extra_state(self) -> Tensor:
        """The schema as JSON bytes; MMEngine expects only tensors in state dicts."""
        text = json.dumps(self.schema.to_dict())
        return torch.tensor(list(text.encode()), dtype=torch.uint8)

    def set_extra_state(self, state: Tensor) -> None:
        """Refuse a checkpoint of another schema with :class:`SchemaMismatchError`."""
        saved = build_schema(json.loads(bytes(state.cpu().tolist())))
        self.schema.require_same(saved, "the model", "the checkpoint")

    def _get_loss(
        self, cls_score: Tensor, data_samples: list[DataSample], **kwargs: Any
    ) -> dict[str, Tensor]:
        target = torch.stack([sample.gt_score.float() for sample in data_samples])
        return {"loss": self.loss_module(cls_score, target, self.positive_ratio)}
