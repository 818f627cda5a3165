"""Says what is trained on what, and what in the labels cannot be learned."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmengine.hooks import Hook

from mmpar.datasets import JointSampler
from mmpar.datasets.positive_ratios import one_sided_attributes, seen_label_counts
from mmpar.engine.training_data import epoch_of, name_of, rarest_attribute
from mmpar.models.utils import unwrap_model
from mmpar.registry import HOOKS


@HOOKS.register_module()
class TrainingReportHook(Hook):
    """Log the model, the data and the size of an epoch before the first one.

    Attributes that cannot be learned, as no known label of theirs is 1, or none is 0,
    are a warning; so are attributes without any known label. A training without a
    single batch is an error.
    """

    def before_train(self, runner: Any) -> None:
        """Count and report.

        Raises:
            ValueError: An epoch has no batch.
        """
        loader = runner.train_dataloader
        epoch = epoch_of(loader)
        dataset = loader.dataset
        names = list(getattr(dataset, "metainfo", {}).get("classes", ()))
        if not names:  # no dataset of mmpar's
            runner.logger.info("Training on %s: %s", name_of(dataset), epoch)
            return
        sampler = getattr(loader, "sampler", None)
        times = sampler.sample_weights() if isinstance(sampler, JointSampler) else None
        positives, known = (np.asarray(n) for n in seen_label_counts(dataset, times))
        runner.logger.info(
            "Training %s on %s: %s images, %d attributes (%s); %s",
            described(unwrap_model(runner.model)),
            name_of(dataset),
            f"{epoch.images:,}",
            len(names),
            rarest_attribute(positives, known, names),
            epoch,
        )
        for warning in label_warnings(positives, known, names):
            runner.logger.warning(warning)


def label_warnings(
    positives: np.ndarray, known: np.ndarray, names: list[str]
) -> list[str]:
    """What training cannot learn from such counts, one sentence for each kind."""
    warnings = []
    never = [name for name, count in zip(names, known) if count == 0]
    if never:
        warnings.append(
            f"no training image has a known label of {', '.join(never)}: nothing is "
            "learned about them, and their positive ratio is taken as 0.5"
        )
    one_sided = one_sided_attributes(positives, known, names)
    found = "; ".join(f"{name}: {what}" for name, what in one_sided.items())
    if one_sided:
        warning = (
            "attributes whose known training labels are all alike cannot be learned, "
            f"and their metrics mean nothing ({found})"
        )
        if (known[known > 0] == positives[known > 0]).any():
            warning += (
                ". If the list writes absent as -1, which means unknown here, set "
                "label_map={-1: 0} in the datasets"
            )
        warnings.append(warning)
    return warnings


def described(model: Any) -> str:
    """The parts of a model and its size."""
    parts = [getattr(model, part, None) for part in ("backbone", "neck", "head")]
    names = ", ".join(type(part).__name__ for part in parts if part is not None)
    count = sum(parameter.numel() for parameter in model.parameters())
    return f"{names or type(model).__name__} ({count:,} parameters)"
