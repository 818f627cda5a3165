"""Reports what is trained on what, and which labels cannot be learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from mmengine.dataset import InfiniteSampler
from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from torch.utils.data import DataLoader

from mmpar.datasets import JointSampler
from mmpar.datasets.positive_ratios import one_sided_attributes, seen_label_counts
from mmpar.models.utils import unwrap_model
from mmpar.registry import HOOKS
from mmpar.structures.protocols import PROTOCOLS


@dataclass(frozen=True)
class Epoch:
    """Sizes of one pass over the training data."""

    images: int
    drawn: int
    """Samples that the samplers of all processes draw together."""
    processes: int
    batch_size: int
    """Images per batch and process; 1 where a batch sampler decides."""
    batches: int
    """Per process."""

    @property
    def left_out(self) -> int:
        """Drawn images that one epoch does not see, as they do not fill a batch."""
        seen = self.batches * self.batch_size * self.processes
        return max(0, min(self.images, self.drawn) - seen)

    def __str__(self) -> str:
        processes = (
            "1 process" if self.processes == 1 else f"{self.processes} processes"
        )
        return (
            f"{self.batches:,} batches of {self.batch_size} per epoch on {processes}, "
            f"{self.left_out:,} of {self.images:,} images left out of each epoch"
        )


def measure_epoch(loader: DataLoader) -> Epoch:
    """The sizes of one epoch of a data loader on all processes.

    Raises:
        ValueError: It has no batch: too few images with ``drop_last``.
    """
    processes = get_world_size()
    epoch = Epoch(
        images=len(loader.dataset),  # type: ignore[arg-type]
        drawn=len(loader.sampler) * processes,  # type: ignore[arg-type]
        processes=processes,
        batch_size=loader.batch_size or 1,
        batches=len(loader),
    )
    # An endless sampler fills each batch, with repeated images where they are few.
    if epoch.batches == 0 and not isinstance(loader.sampler, InfiniteSampler):
        images_each = -(-epoch.images // epoch.processes)
        raise ValueError(
            f"there is nothing to train on: {epoch.images} images on {epoch.processes} "
            f"process(es) are {images_each} for each, which do not fill one batch of "
            f"train_dataloader.batch_size={epoch.batch_size}, and drop_last=True drops "
            f"the rest. Set train_dataloader.batch_size to at most {images_each}, or "
            "train_dataloader.drop_last=False, or give more images or fewer processes"
        )
    return epoch


@HOOKS.register_module()
class TrainingReportHook(Hook):
    """Log protocol, model, data and the size of an epoch before the first one.

    Attributes that cannot be learned, because none of their known labels is 1 or none
    is 0, are a warning; so are attributes without any known label. A training without a
    single batch is an error.
    """

    def before_train(self, runner: Any) -> None:
        """Count and report.

        Raises:
            ValueError: An epoch has no batch.
        """
        protocol = runner.cfg.get("protocol")
        if protocol is not None:
            runner.logger.info("Protocol %s: %s", protocol, PROTOCOLS[protocol])
        loader = runner.train_dataloader
        epoch = measure_epoch(loader)
        dataset = loader.dataset
        names = list(getattr(dataset, "metainfo", {}).get("classes", ()))
        if not names:  # not one of mmpar's datasets
            runner.logger.info("Training on %s: %s", describe_dataset(dataset), epoch)
            return
        sampler = getattr(loader, "sampler", None)
        times = sampler.sample_weights() if isinstance(sampler, JointSampler) else None
        positives, known = (np.asarray(n) for n in seen_label_counts(dataset, times))
        runner.logger.info(
            "Training %s on %s: %s images, %d attributes (%s); %s",
            describe_model(unwrap_model(runner.model)),
            describe_dataset(dataset),
            f"{epoch.images:,}",
            len(names),
            describe_rarest_attribute(positives, known, names),
            epoch,
        )
        for warning in find_label_issues(positives, known, names):
            runner.logger.warning(warning)


def find_label_issues(
    positives: np.ndarray, known: np.ndarray, names: list[str]
) -> list[str]:
    """What cannot be learned from such counts, one sentence for each kind."""
    warnings = []
    never = [name for name, count in zip(names, known) if count == 0]
    if never:
        warnings.append(
            f"no training image has a known label of {', '.join(never)}: nothing is "
            "learned about them, and their positive ratio is set to 0.5"
        )
    one_sided = one_sided_attributes(positives, known, names)
    found = "; ".join(f"{name}: {what}" for name, what in one_sided.items())
    if one_sided:
        warning = (
            "attributes whose known training labels are all equal cannot be learned, "
            f"and their metrics mean nothing ({found})"
        )
        if (known[known > 0] == positives[known > 0]).any():
            warning += (
                ". If the list writes absent as -1, which means unknown here, set "
                "label_map={-1: 0} in the datasets"
            )
        warnings.append(warning)
    return warnings


def describe_model(model: Any) -> str:
    """The parts of a model and its size."""
    parts = [getattr(model, part, None) for part in ("backbone", "neck", "head")]
    names = ", ".join(type(part).__name__ for part in parts if part is not None)
    count = sum(parameter.numel() for parameter in model.parameters())
    return f"{names or type(model).__name__} ({count:,} parameters)"


def describe_rarest_attribute(
    positives: np.ndarray, known: np.ndarray, names: list[str]
) -> str:
    """The attribute with the fewest positives among those with a known label."""
    candidates = np.flatnonzero(known > 0)
    if len(candidates) == 0:
        return "no attribute has a known label"
    rarest = candidates[np.argmin(positives[candidates])]
    return f"rarest {names[rarest]}: {positives[rarest]:,.10g} positives"


def describe_dataset(dataset: Any) -> str:
    """What the log calls a dataset: its class or name, and its split."""
    meta = getattr(dataset, "metainfo", {})
    name = meta.get("dataset_name", type(dataset).__name__)
    return f"{name} {getattr(dataset, 'split', '')}".rstrip()
