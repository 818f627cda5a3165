"""Brings the positive ratios of the training split to the head."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from mmpar.datasets import positive_ratios
from mmpar.registry import HOOKS


@HOOKS.register_module()
class PositiveRatioHook(Hook):
    """Count the labels of the training data set and hand their ratios to the head.

    They weight the loss and are stored with the checkpoint, as a buffer of the head.
    """

    def before_train(self, runner) -> None:
        """Set ``head.positive_ratio`` from the data set that is trained on."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        model.head.set_positive_ratio(positive_ratios(runner.train_dataloader.dataset))
