"""A test loop that explains what the model predicts."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.device import get_device
from mmengine.runner import TestLoop

from mmpar.models.utils import unwrap_model
from mmpar.registry import EXPLAINERS, LOOPS


@LOOPS.register_module()
class ExplainLoop(TestLoop):
    """MMEngine's ``TestLoop`` that also asks an explainer where each answer came from.

    Every data sample gets the prediction and the explainer's field, which
    ``AttributeLocalizationMetric`` reads. Explainers need gradients at most above the
    layer that they look at, and switch them on there themselves.

    Args:
        runner: As in MMEngine.
        dataloader: As in MMEngine.
        evaluator: As in MMEngine.
        explainer: Config of a :class:`mmpar.explain.Explainer`, without the model.
        fp16: Whether to run under autocast.
    """

    def __init__(
        self,
        runner: Any,
        dataloader: Any,
        evaluator: Any,
        explainer: dict[str, Any],
        fp16: bool = False,
    ) -> None:
        super().__init__(runner, dataloader, evaluator, fp16)
        self.model = unwrap_model(runner.model)
        self.explainer = EXPLAINERS.build(
            explainer, default_args=dict(model=self.model)
        )

    @torch.no_grad()
    def run_iter(self, idx: int, data_batch: Any) -> None:
        """Predict, explain and evaluate a batch."""
        self.runner.call_hook("before_test_iter", batch_idx=idx, data_batch=data_batch)
        with torch.autocast(get_device(), enabled=self.fp16):
            data = self.model.data_preprocessor(data_batch, False)
            outputs = self.model(**data, mode="predict")
            self.explainer.annotate(data["inputs"], outputs)
        self.evaluator.process(data_samples=outputs, data_batch=data_batch)
        self.runner.call_hook(
            "after_test_iter", batch_idx=idx, data_batch=data_batch, outputs=outputs
        )
