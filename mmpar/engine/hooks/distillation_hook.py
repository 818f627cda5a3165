"""Mixes the scores of a trained teacher into the labels of a student."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner.checkpoint import _load_checkpoint
from mmpretrain.structures import DataSample
from torch import Tensor

from mmpar.models.losses import WeightedBCELoss
from mmpar.models.utils import unwrap_model
from mmpar.models.weights import load_weights, weights_of
from mmpar.registry import HOOKS, MODELS
from mmpar.utils.config import use_checkpoint
from mmpar.utils.shipped import find_config


@HOOKS.register_module()
class DistillationHook(Hook):
    """Train on ``(1 - share) * label + share * score`` of a teacher.

    The teacher sees the very images of each batch, augmented as they are. As binary
    cross-entropy is linear in the label, this is the mean of the loss on the labels and
    of that on the teacher's scores (Hinton et al., arXiv 1503.02531, at temperature 1);
    where the loss is weighted, both have the weight of a positive if the mixed label is
    above a half, else that of a negative. A label that is unknown becomes the teacher's
    score; an attribute without a known one is weighted by the teacher's positive ratio.
    The model, its checkpoints and its tests are those of the student alone.

    Args:
        config: File or name of the teacher's config; of the same schema and image size.
        checkpoint: Its weights: a file, or a work dir of which the best is taken.
        share: Of the teacher in each label, in (0, 1].

    Raises:
        ValueError: ``share`` is out of range, the teacher's images have another size,
            its weights do not fit, the student's loss is not a binary cross-entropy, or
            it has ``exclusive_softmax``, whose labels cannot be mixed.
        SchemaMismatchError: The teacher knows other attributes.
    """

    def __init__(self, config: str, checkpoint: str, share: float = 0.5) -> None:
        if not 0 < share <= 1:
            raise ValueError(f"share is above 0 and at most 1, got {share}")
        self.config = config
        self.checkpoint = checkpoint
        self.share = share
        self.teacher: Any = None

    def before_train(self, runner: Any) -> None:
        """Load the teacher."""
        cfg = Config.fromfile(find_config(self.config))
        use_checkpoint(cfg, self.checkpoint)
        if cfg.get("image_size") != runner.cfg.get("image_size"):
            raise ValueError(
                f"the teacher {self.config} was trained on images of "
                f"{cfg.get('image_size')} (width, height), the student gets "
                f"{runner.cfg.get('image_size')}; give both the same image_size"
            )
        head = unwrap_model(runner.model).head
        if head.log_odds.sets:
            raise ValueError(
                "a student with exclusive_softmax=True cannot be distilled: scores "
                "cannot be mixed into labels of which one excludes the others"
            )
        if not isinstance(head.loss_module, WeightedBCELoss):
            raise ValueError(
                f"a student with the loss {type(head.loss_module).__name__} cannot be "
                "distilled: it is not linear in the label; use WeightedBCELoss"
            )
        teacher = MODELS.build(cfg.model)
        weights = weights_of(_load_checkpoint(cfg.load_from, "cpu"), cfg.load_from)
        fit = load_weights(teacher, weights)
        fit.require_exact(f"the teacher's checkpoint {cfg.load_from}")
        head.schema.require_same(teacher.head.schema, "the student", "the teacher")
        device = next(runner.model.parameters()).device
        self.teacher = teacher.to(device).eval().requires_grad_(False)
        runner.logger.info(
            f"Distillation: {self.share:.0%} of each label is the score of "
            f"{self.config} with the weights of {cfg.load_from}"
        )

    def before_train_epoch(self, runner: Any) -> None:
        """Weigh attributes of which no label is known as the teacher does."""
        ratio = unwrap_model(runner.model).head.positive_ratio
        ratio.copy_(torch.where(ratio.isnan(), self.teacher.head.positive_ratio, ratio))

    def before_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Mix the teacher's scores into the labels of the batch."""
        samples: list[DataSample] = data_batch["data_samples"]
        given = dict(data_batch, data_samples=[sample.clone() for sample in samples])
        with torch.no_grad():
            predicted = self.teacher.test_step(given)
        for sample, prediction in zip(samples, predicted):
            score = prediction.pred_score.to(sample.gt_score)
            sample.set_gt_score(self._mix(sample.gt_score, score))

    def _mix(self, label: Tensor, score: Tensor) -> Tensor:
        mixed = label + self.share * (score - label)
        return torch.where(label < 0, score, mixed)

    def after_train(self, runner: Any) -> None:
        """Let go of the teacher."""
        self.teacher = None
