"""Training on several datasets at once, over the union of their attributes.

``JointDataset`` joins them, ``JointSampler`` draws from each by its weight.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_dist_info, sync_random_seed
from mmengine.logging import print_log
from mmpretrain.structures import DataSample
from torch.utils.data import Sampler

from mmpar.datasets.base import PARDataset
from mmpar.datasets.formats import UNKNOWN
from mmpar.datasets.positive_ratios import count_labels
from mmpar.registry import DATA_SAMPLERS, DATASETS
from mmpar.structures import AttributeSchema, infer, meanings_of


def merge_schemas(
    schemas: Sequence[AttributeSchema], title: str = "joint"
) -> AttributeSchema:
    """All attributes, in order of first appearance; equal names are one attribute.

    An attribute keeps the body-region group of the first schema that has it. Exclusive
    sets of all schemas hold, but for those within a larger one, and so do meanings, but
    for those on which schemas differ.
    """
    groups: dict[str, list[str]] = {}
    seen: set[str] = set()
    names: list[str] = []
    for schema in schemas:
        group_of = {n: g for g, members in schema.groups.items() for n in members}
        for name in schema.names:
            if name not in seen:
                seen.add(name)
                names.append(name)
                if name in group_of:
                    groups.setdefault(group_of[name], []).append(name)
    members = {group: tuple(found) for group, found in groups.items()}
    sets = {frozenset(one): one for schema in schemas for one in schema.exclusive}
    largest = tuple(one for own, one in sets.items() if not any(own < s for s in sets))
    meant = [pair for schema in schemas for pair in meanings_of(schema).items()]
    meanings = dict(meant)
    for name, meaning in meant:
        if meanings.get(name) != meaning:
            meanings.pop(name, None)
    return AttributeSchema(tuple(names), members, title, largest, meanings)


@DATASETS.register_module()
class JointDataset:
    """Several PAR datasets as one.

    Labels are in the order of the union of their attributes; one that a dataset does
    not label is unknown (-1) in its samples, and so adds nothing to the loss; it has no
    box (NaN) in samples with boxes. Each sample has the column ``dataset``, the
    position of its dataset. ``JointSampler`` draws more of one and less of another.

    Args:
        datasets: Datasets, or their configs.
        aliases: Name in a dataset to name in the union, for attributes that mean the
            same: one mapping for each dataset.
        infer_labels: Whether unknown labels are filled where the known ones of the
            sample imply them, see :func:`mmpar.structures.infer`: who is labelled to
            have a backpack carries something, in words of the other dataset, too.

    Raises:
        ValueError: No dataset, not one of ``aliases`` for each, an alias for an
            attribute that is not there, or labels are to be inferred of attributes
            without meanings.
        TypeError: A pipeline does not give a dict with labels.
    """

    def __init__(
        self,
        datasets: Sequence[PARDataset | dict],
        aliases: Sequence[Mapping[str, str]] | None = None,
        infer_labels: bool = False,
    ) -> None:
        self.datasets = [
            DATASETS.build(one) if isinstance(one, dict) else one for one in datasets
        ]
        aliases = list(aliases) if aliases is not None else [{}] * len(datasets)
        if not datasets:
            raise ValueError("JointDataset needs at least one dataset")
        if len(aliases) != len(datasets):
            raise ValueError(
                f"{len(datasets)} datasets have {len(aliases)} aliases; give one for "
                "each"
            )
        schemas = [
            _renamed(one.schema, names) for one, names in zip(self.datasets, aliases)
        ]
        self._schema = merge_schemas(schemas)
        self.attribute_indices = [
            np.array([self._schema.index(name) for name in schema.names])
            for schema in schemas
        ]
        self._ends = np.cumsum([len(one) for one in self.datasets])
        self._metainfo = dict(
            dataset_name="+".join(
                one.metainfo["dataset_name"] for one in self.datasets
            ),
            classes=list(self._schema.names),
            schema=self._schema.to_dict(),
        )
        self._completed = self._complete_labels() if infer_labels else None

    @property
    def schema(self) -> AttributeSchema:
        """The union."""
        return self._schema

    @property
    def metainfo(self) -> dict[str, Any]:
        """As in a ``PARDataset``."""
        return dict(self._metainfo)

    def full_init(self) -> None:
        """Nothing is left to do; MMEngine asks."""

    def __len__(self) -> int:
        return int(self._ends[-1])

    def get_data_info(self, idx: int) -> dict[str, Any]:
        """The annotation of one sample, labels in the order of the union."""
        which, row = self._place(idx)
        info = self.datasets[which].get_data_info(row)
        info["gt_score"] = self._labels(info["gt_score"], which, row)
        return dict(info, dataset=which, sample_idx=int(idx))

    def __getitem__(self, idx: int) -> Any:
        which, row = self._place(idx)
        data = self.datasets[which][row]
        if isinstance(data, dict) and "data_samples" in data:
            self._scatter_sample(data["data_samples"], which, row, idx)
        elif isinstance(data, dict) and "gt_score" in data:
            data["gt_score"] = self._labels(data["gt_score"], which, row)
            if "gt_bboxes" in data:
                data["gt_bboxes"] = self._scatter(data["gt_bboxes"], which, np.nan)
            data.update(dataset=which, sample_idx=idx)
        else:
            raise TypeError(
                f"the pipeline of dataset {which} gives {type(data).__name__} without "
                "data_samples or gt_score; end it with PackPARInputs"
            )
        return data

    def _place(self, idx: int) -> tuple[int, int]:
        """Dataset of a sample, and its row there."""
        idx = range(len(self))[idx]
        which = int(np.searchsorted(self._ends, idx, side="right"))
        return which, idx - (int(self._ends[which - 1]) if which else 0)

    def _scatter_sample(
        self, sample: DataSample, which: int, row: int, idx: int
    ) -> None:
        score = self._labels(sample.gt_score.numpy(), which, row)
        sample.set_metainfo(
            dict(num_classes=len(score), dataset=which, sample_idx=int(idx))
        )
        sample.set_gt_score(torch.from_numpy(score))
        if "gt_attribute_boxes" in sample:
            boxes = sample.gt_attribute_boxes.numpy()
            spread = torch.from_numpy(self._scatter(boxes, which, np.nan))
            sample.set_field(spread, "gt_attribute_boxes")

    def _labels(self, labels: np.ndarray, which: int, row: int) -> np.ndarray:
        """Labels of a sample in the columns of the union, float32."""
        spread = self._scatter(labels, which)
        if self._completed is None:
            return spread
        return np.where(spread == UNKNOWN, self._completed[which][row], spread)

    def _complete_labels(self) -> list[np.ndarray]:
        """Labels of each dataset with those that they imply, int8, (N, A)."""
        if not meanings_of(self._schema):
            raise ValueError(
                "infer_labels=True needs to know what attributes mean, and does of "
                f"none of {list(self._schema.names)}. Give schemas of your own "
                "meanings, dict(names=..., meanings={name: 'FACET: VALUE, ...'})"
            )
        completed, unknown, found = [], 0, 0
        for one, columns in zip(self.datasets, self.attribute_indices):
            labels = np.full((len(one), len(self._schema)), UNKNOWN, np.int8)
            labels[:, columns] = one.get_labels()
            implied = infer(labels, self._schema, self._schema)
            gaps = labels == UNKNOWN
            unknown += int(gaps.sum())
            found += int((implied[gaps] != UNKNOWN).sum())
            completed.append(np.where(gaps, implied, labels))
        print_log(f"{found:,} of {unknown:,} unknown labels are inferred", "current")
        return completed

    def _scatter(
        self, values: np.ndarray, which: int, absent: float = UNKNOWN
    ) -> np.ndarray:
        """Rows of one dataset's attributes in the columns of the union, float32."""
        spread = np.full((len(self._schema), *values.shape[1:]), absent, np.float32)
        spread[self.attribute_indices[which]] = values
        return spread

    def label_counts(
        self, sample_weight: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """How often each attribute of the union is present, and known, in a pass.

        Args:
            sample_weight: How often each sample counts, shape (N,); by default once.

        Returns:
            Two arrays of shape (A,), int64, or float64 as ``sample_weight`` is.
        """
        sample_weight = (
            np.ones(len(self), np.int64) if sample_weight is None else sample_weight
        )
        positives = np.zeros(len(self._schema), sample_weight.dtype)
        known = np.zeros(len(self._schema), sample_weight.dtype)
        parts = np.split(sample_weight, self._ends[:-1])
        for which, (one, often) in enumerate(zip(self.datasets, parts)):
            columns: Any = self.attribute_indices[which]
            if self._completed is None:
                ones, judged = one.label_counts(often)
            else:
                columns = slice(None)
                ones, judged = count_labels(self._completed[which], often)
            positives[columns] += ones
            known[columns] += judged
        return positives, known


def _renamed(schema: AttributeSchema, aliases: Mapping[str, str]) -> AttributeSchema:
    given = schema.by_index(aliases)
    new = {name: given.get(i, name) for i, name in enumerate(schema.names)}
    return AttributeSchema(
        tuple(new.values()),
        {g: tuple(new[n] for n in m) for g, m in schema.groups.items()},
        schema.title,
        tuple(tuple(new[name] for name in one) for one in schema.exclusive),
        {new[name]: meaning for name, meaning in meanings_of(schema).items()},
    )


@DATA_SAMPLERS.register_module()
class JointSampler(Sampler):
    """Shuffled samples of a :class:`JointDataset`, of each dataset by its weight.

    Every process draws the same and takes its share; the first samples are repeated
    until all shares are equal. ``PositiveRatioHook`` counts labels by the weights.

    Args:
        dataset: What to draw from.
        weights: How often an epoch draws each dataset, relative to its size: 2 takes
            each sample twice, 0.5 half of them, another half in the next epoch.
        seed: The same in all processes; by default a random one.

    Raises:
        TypeError: ``dataset`` is not a ``JointDataset``.
        ValueError: Not one weight per dataset, one that is not positive, or weights
            that draw nothing.
    """

    def __init__(
        self, dataset: JointDataset, weights: Sequence[float], seed: int | None = None
    ) -> None:
        if not isinstance(dataset, JointDataset):
            raise TypeError(
                f"JointSampler draws from a JointDataset, got {type(dataset).__name__}"
            )
        if len(weights) != len(dataset.datasets):
            raise ValueError(
                f"{len(dataset.datasets)} datasets have {len(weights)} weights; give "
                "one for each"
            )
        if not all(weight > 0 for weight in weights):
            raise ValueError(f"weights are positive, got {list(weights)}")
        self.seed = sync_random_seed() if seed is None else seed
        self.epoch = 0
        self.rank, self.world_size = get_dist_info()
        self._sizes = [len(one) for one in dataset.datasets]
        self._counts = [round(w * n) for w, n in zip(weights, self._sizes)]
        if sum(self._counts) == 0:
            raise ValueError(f"weights {list(weights)} of {self._sizes} draw no sample")

    def sample_weights(self) -> np.ndarray:
        """Mean number of times an epoch has each sample, float64, shape (N,)."""
        shares = np.array(self._counts) / np.array(self._sizes)
        return np.repeat(shares, self._sizes)

    def set_epoch(self, epoch: int) -> None:
        """Each epoch, from 0, has its own draw."""
        self.epoch = epoch

    def __len__(self) -> int:
        return math.ceil(sum(self._counts) / self.world_size)

    def __iter__(self) -> Iterator[int]:
        generator = np.random.default_rng([self.seed, self.epoch])
        drawn, first = [], 0
        for size, count in zip(self._sizes, self._counts):
            whole = np.tile(np.arange(size), count // size)
            more = generator.permutation(size)[: count % size]
            drawn.append(first + np.concatenate([whole, more]))
            first += size
        indices = generator.permutation(np.concatenate(drawn))
        indices = np.resize(indices, len(self) * self.world_size)
        return iter(indices[self.rank :: self.world_size].tolist())
