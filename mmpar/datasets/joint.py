"""Training on several data sets at once, over the union of their attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dataset import BaseDataset
from mmpretrain.structures import DataSample

from mmpar.datasets.base import PARDataset
from mmpar.datasets.formats import UNKNOWN
from mmpar.registry import DATASETS
from mmpar.structures import AttributeSchema


def union_schema(
    schemas: Sequence[AttributeSchema], title: str = "joint"
) -> AttributeSchema:
    """All attributes, in order of first appearance; equal names are one attribute.

    An attribute keeps the body-region group of the first schema that has it.
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
    return AttributeSchema(tuple(names), members, title)


@DATASETS.register_module()
class JointDataset:
    """Several PAR data sets as one.

    Labels are in the order of the union of their attributes; one that a data set does
    not label is unknown (-1) in its samples, and so adds nothing to the loss; it has no
    box (NaN) in samples with boxes. Each sample has the column ``dataset``, the
    position of its data set. ``JointSampler`` draws more of one and less of another.

    Args:
        datasets: Data sets, or their configs.
        aliases: Name in a data set to name in the union, for attributes that mean the
            same: one mapping for each data set.

    Raises:
        ValueError: No data set, another number of aliases, or an alias for an
            attribute that is not there.
        TypeError: A sample's pipeline gives no dict with its labels.
    """

    def __init__(
        self,
        datasets: Sequence[PARDataset | dict],
        aliases: Sequence[Mapping[str, str]] | None = None,
    ) -> None:
        self.datasets = [
            DATASETS.build(one) if isinstance(one, dict) else one for one in datasets
        ]
        aliases = list(aliases) if aliases is not None else [{}] * len(datasets)
        _check(self.datasets, aliases)
        schemas = [
            _renamed(one.schema, names) for one, names in zip(self.datasets, aliases)
        ]
        self._schema = union_schema(schemas)
        self.places = [
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

    @property
    def schema(self) -> AttributeSchema:
        """The union."""
        return self._schema

    @property
    def metainfo(self) -> dict[str, Any]:
        """As of a ``PARDataset``."""
        return dict(self._metainfo)

    def full_init(self) -> None:
        """Nothing is left to do; MMEngine asks."""

    def __len__(self) -> int:
        return int(self._ends[-1])

    def get_data_info(self, idx: int) -> dict[str, Any]:
        """The annotation of one sample, labels in the order of the union."""
        which, row = self._place(idx)
        info = self.datasets[which].get_data_info(row)
        info["gt_score"] = self._spread(info["gt_score"], which)
        return dict(info, dataset=which, sample_idx=int(idx))

    def __getitem__(self, idx: int) -> Any:
        which, row = self._place(idx)
        data = self.datasets[which][row]
        if isinstance(data, dict) and "data_samples" in data:
            self._spread_sample(data["data_samples"], which, idx)
        elif isinstance(data, dict) and "gt_score" in data:
            data["gt_score"] = self._spread(data["gt_score"], which)
            if "gt_bboxes" in data:
                data["gt_bboxes"] = self._spread(data["gt_bboxes"], which, np.nan)
            data.update(dataset=which, sample_idx=idx)
        else:
            raise TypeError(
                f"the pipeline of data set {which} gives {type(data).__name__} without "
                "data_samples or gt_score; end it with PackPARInputs"
            )
        return data

    def _place(self, idx: int) -> tuple[int, int]:
        """Data set of a sample, and its row there."""
        idx = range(len(self))[idx]
        which = int(np.searchsorted(self._ends, idx, side="right"))
        return which, idx - (int(self._ends[which - 1]) if which else 0)

    def _spread_sample(self, sample: DataSample, which: int, idx: int) -> None:
        score = self._spread(sample.gt_score.numpy(), which)
        sample.set_metainfo(
            dict(num_classes=len(score), dataset=which, sample_idx=int(idx))
        )
        sample.set_gt_score(torch.from_numpy(score))
        if "gt_attribute_boxes" in sample:
            boxes = sample.gt_attribute_boxes.numpy()
            spread = torch.from_numpy(self._spread(boxes, which, np.nan))
            sample.set_field(spread, "gt_attribute_boxes")

    def _spread(
        self, values: np.ndarray, which: int, absent: float = UNKNOWN
    ) -> np.ndarray:
        """Rows of one data set's attributes in the places of the union's, float32."""
        spread = np.full((len(self._schema), *values.shape[1:]), absent, np.float32)
        spread[self.places[which]] = values
        return spread

    def label_counts(
        self, times: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """How often each attribute of the union is present, and known, in a pass.

        Args:
            times: How often each sample counts, shape (N,); by default once.

        Returns:
            Two arrays of shape (A,), int64, or float64 as ``times`` is.
        """
        times = np.ones(len(self), np.int64) if times is None else times
        positives = np.zeros(len(self._schema), times.dtype)
        known = np.zeros(len(self._schema), times.dtype)
        parts = np.split(times, self._ends[:-1])
        for which, (one, often) in enumerate(zip(self.datasets, parts)):
            ones, judged = one.label_counts(often)
            positives[self.places[which]] += ones
            known[self.places[which]] += judged
        return positives, known


def _check(
    datasets: Sequence[BaseDataset], aliases: Sequence[Mapping[str, str]]
) -> None:
    if not datasets:
        raise ValueError("JointDataset needs one data set or more")
    if len(aliases) != len(datasets):
        raise ValueError(
            f"{len(datasets)} data sets have {len(aliases)} aliases; give one for each"
        )


def _renamed(schema: AttributeSchema, aliases: Mapping[str, str]) -> AttributeSchema:
    given = schema.by_index(aliases)
    new = {name: given.get(i, name) for i, name in enumerate(schema.names)}
    return AttributeSchema(
        tuple(new.values()),
        {g: tuple(new[n] for n in m) for g, m in schema.groups.items()},
        schema.title,
    )
