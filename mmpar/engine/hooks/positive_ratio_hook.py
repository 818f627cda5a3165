"""Hands the positive ratios of the training split to the head."""

import warnings

from mmengine.hooks import Hook

from mmpar.datasets import JointSampler, positive_ratios
from mmpar.models.utils import unwrap_model
from mmpar.registry import HOOKS


@HOOKS.register_module()
class PositiveRatioHook(Hook):
    """Count the labels of the training dataset and hand their ratios to the head.

    They weight the loss and are stored with the checkpoint, as a buffer of the head.
    """

    def before_train(self, runner) -> None:
        """Set ``head.positive_ratio`` from the dataset that is trained on."""
        model = unwrap_model(runner.model)
        loader = runner.train_dataloader
        sampler = getattr(loader, "sampler", None)
        times = sampler.sample_weights() if isinstance(sampler, JointSampler) else None
        with warnings.catch_warnings():
            # TrainingReportHook names attributes without a known label, in the log.
            warnings.filterwarnings("ignore", message="no sample has a known label")
            ratios = positive_ratios(loader.dataset, times)
        model.head.set_positive_ratio(ratios)
