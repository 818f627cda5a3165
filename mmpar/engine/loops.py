"""A training loop that resumes within an epoch, and two test loops.

One of these explains predictions, one tests on another dataset's attributes.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import torch
from mmengine.runner import EpochBasedTrainLoop, TestLoop, autocast

from mmpar.engine.hooks.schema_check_hook import SchemaCheckHook
from mmpar.evaluation.gather import as_array
from mmpar.explain import OcclusionTest
from mmpar.models.utils import unwrap_model
from mmpar.registry import EXPLAINERS, LOOPS
from mmpar.structures import Transfer, build_schema


@LOOPS.register_module()
class ResumableEpochLoop(EpochBasedTrainLoop):
    """MMEngine's ``EpochBasedTrainLoop`` that may begin within an epoch.

    Attributes:
        batches_done: How many batches of the epoch to resume were trained on. They are
            drawn again, as MMEngine's ``IterBasedTrainLoop`` does, and passed over.
    """

    batches_done = 0

    def run_epoch(self) -> None:
        """Iterate one epoch, or what is left of it."""
        self.runner.call_hook("before_train_epoch")
        self.runner.model.train()
        for idx, batch in islice(enumerate(self.dataloader), self.batches_done, None):
            self.run_iter(idx, batch)
        self.batches_done = 0
        self.runner.call_hook("after_train_epoch")
        self._epoch += 1


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
        with autocast(enabled=self.fp16):
            data = self.model.data_preprocessor(data_batch, False)
            outputs = self.model(**data, mode="predict")
            self.explainer.annotate(data["inputs"], outputs)
        if self.occlusion is not None:
            self.occlusion.annotate(data["inputs"], outputs)
        self.evaluator.process(data_samples=outputs, data_batch=data_batch)
        self.runner.call_hook(
            "after_test_iter", batch_idx=idx, data_batch=data_batch, outputs=outputs
        )


@LOOPS.register_module()
class CrossDatasetLoop(TestLoop):
    """MMEngine's ``TestLoop`` on data that is labelled with other attributes.

    Predictions are made from those of the model by :class:`mmpar.structures.Transfer`,
    and metrics see the attributes that it answers, with their labels, and no others.
    The log says how each is answered and which are not.

    Args:
        runner: As in MMEngine.
        dataloader: As in MMEngine.
        evaluator: As in MMEngine.
        fp16: Whether to predict under autocast.

    Attributes:
        transfer: From the model's schema to that of the data.

    Raises:
        ValueError: No attribute of the data can be answered.
    """

    is_for_other_attributes = True  # read by SchemaCheckHook

    def __init__(
        self, runner: Any, dataloader: Any, evaluator: Any, fp16: bool = False
    ) -> None:
        super().__init__(runner, dataloader, evaluator, fp16)
        meta = self.dataloader.dataset.metainfo
        ours = unwrap_model(runner.model).head.schema
        self.transfer = Transfer(ours, build_schema(meta["schema"]))
        answered = self.transfer.schema
        meta = dict(meta, classes=list(answered.names), schema=answered.to_dict())
        self.evaluator.dataset_meta = runner.visualizer.dataset_meta = meta

    def run(self) -> dict:
        """Say what is answered, and test."""
        answers, others = self.transfer.answers, self.transfer.unanswered
        self.runner.logger.info(
            "The model answers %d of %d attributes of the test data:\n  %s\n"
            "It does not answer: %s",
            len(answers),
            len(answers) + len(others),
            "\n  ".join(map(str, answers)),
            ", ".join(others) or "none",
        )
        return super().run()

    @torch.no_grad()
    def run_iter(self, idx: int, data_batch: Any) -> None:
        """Predict a batch and evaluate what is answered."""
        self.runner.call_hook("before_test_iter", batch_idx=idx, data_batch=data_batch)
        labels = []
        for sample in data_batch["data_samples"]:
            labels.append(sample.pop("gt_score"))
            del sample.num_classes  # the model predicts another number of them
        with autocast(enabled=self.fp16):
            outputs = self.runner.model.test_step(data_batch)
        for sample, truth in zip(outputs, labels):
            self._answer(sample, truth)
        self.evaluator.process(data_samples=outputs, data_batch=data_batch)
        self.runner.call_hook(
            "after_test_iter", batch_idx=idx, data_batch=data_batch, outputs=outputs
        )

    def _answer(self, sample: Any, labels: torch.Tensor) -> None:
        """Put the answers, and the labels of these attributes, into a prediction."""
        scores = as_array(sample.pred_score)
        decisions = np.zeros(len(scores), bool)
        decisions[as_array(sample.pred_label)] = True
        answered = self.transfer.decisions(decisions, scores)
        del sample.num_classes
        sample.set_pred_score(torch.from_numpy(self.transfer.scores(scores)))
        sample.set_pred_label(torch.from_numpy(np.flatnonzero(answered)))
        sample.set_gt_score(labels[self.transfer.columns])
