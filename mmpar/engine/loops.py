"""A test loop that explains what the model predicts."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.device import get_device
from mmengine.runner import TestLoop

from mmpar.engine.hooks.schema_check_hook import SchemaCheckHook
from mmpar.explain import OcclusionTest
from mmpar.models.utils import unwrap_model
from mmpar.registry import EXPLAINERS, LOOPS


@LOOPS.register_module()
class ExplainLoop(TestLoop):
    """MMEngine's ``TestLoop`` that also asks an explainer where each answer came from.

    Every data sample gets the prediction and the explainer's field, which
    ``AttributeLocalizationMetric`` reads, and with ``occlusion`` the fields that
    ``OcclusionMetric`` reads. Explainers need gradients at most above the layer that
    they look at, and enable them there themselves.

    Args:
        runner: As in MMEngine.
        dataloader: As in MMEngine.
        evaluator: As in MMEngine.
        explainer: Config of a :class:`mmpar.explain.Explainer`, without the model.
        occlusion: Arguments of :class:`mmpar.explain.OcclusionTest`, without the model;
            None for no test.
        fp16: Whether to predict and explain under autocast.
    """

    def __init__(
        self,
        runner: Any,
        dataloader: Any,
        evaluator: Any,
        explainer: dict[str, Any],
        occlusion: dict[str, Any] | None = None,
        fp16: bool = False,
    ) -> None:
        super().__init__(runner, dataloader, evaluator, fp16)
        self.model = unwrap_model(runner.model)
        self.explainer = EXPLAINERS.build(
            explainer, default_args=dict(model=self.model)
        )
        self.occlusion = None
        if occlusion is not None:
            self.occlusion = OcclusionTest(self.model, **occlusion)

    def prepare(self) -> None:
        """Load the checkpoint and set eval mode, to explain without :meth:`run`.

        Hooks begin first: EMAHook copies the model before weights are loaded.

        Raises:
            ValueError: The model and the test data have different schemas.
        """
        self.runner.call_hook("before_run")
        self.runner.load_or_resume()
        SchemaCheckHook().before_test(self.runner)
        self.runner.model.eval()

    @torch.no_grad()
    def run_iter(self, idx: int, data_batch: Any) -> None:
        """Predict, explain and evaluate a batch."""
        self.runner.call_hook("before_test_iter", batch_idx=idx, data_batch=data_batch)
        with torch.autocast(get_device(), enabled=self.fp16):
            data = self.model.data_preprocessor(data_batch, False)
            outputs = self.model(**data, mode="predict")
            self.explainer.annotate(data["inputs"], outputs)
        if self.occlusion is not None:
            self.occlusion.annotate(data["inputs"], outputs)
        self.evaluator.process(data_samples=outputs, data_batch=data_batch)
        self.runner.call_hook(
            "after_test_iter", batch_idx=idx, data_batch=data_batch, outputs=outputs
        )
