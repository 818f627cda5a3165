"""Makes sure that the model and its data have the same attributes."""

from typing import Any

from mmengine.hooks import Hook

from mmpar.models.utils import unwrap_model
from mmpar.registry import HOOKS
from mmpar.structures import build_schema


@HOOKS.register_module()
class SchemaCheckHook(Hook):
    """Refuse to train, validate or test on data of another attribute schema.

    A model or data of other software, without a schema, cannot be compared.

    A test loop may say that it is meant for such data, by a true
    ``is_for_other_attributes``, as :class:`mmpar.engine.CrossDatasetLoop` does.
    """

    priority = "ABOVE_NORMAL"  # before anything is counted

    def before_train(self, runner) -> None:
        """Compare the head's schema with that of the training data."""
        _check(runner, runner.train_dataloader.dataset, "the training data")

    def before_val(self, runner) -> None:
        """Compare the head's schema with that of the validation data."""
        _check(runner, runner.val_dataloader.dataset, "the validation data")

    def before_test(self, runner) -> None:
        """Compare the head's schema with that of the test data."""
        loop = getattr(runner, "test_loop", None)
        if not getattr(loop, "is_for_other_attributes", False):
            _check(runner, runner.test_dataloader.dataset, "the test data")


def _check(runner: Any, dataset: Any, role: str) -> None:
    ours = getattr(getattr(unwrap_model(runner.model), "head", None), "schema", None)
    theirs = getattr(dataset, "metainfo", {}).get("schema")
    if ours is not None and theirs is not None:
        ours.require_same(build_schema(theirs), "the model", role)
