"""The Strong Baseline's partitions without shared persons: one pickle for each."""

from __future__ import annotations

from dataclasses import replace

from mmpar.datasets.base import PARDataset
from mmpar.datasets.formats.annotation import ANY, Annotation
from mmpar.datasets.formats.pickles import read_common_pickle


def read_zero_shot(path: str) -> Annotation:
    """Read ``dataset_zs_run0.pkl``, which holds one of the five partitions.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not such a pickle, or holds several partitions.
    """
    annotation = read_common_pickle(path)
    partitions = annotation.partitions or {}
    if any(len(numbers) > 1 for numbers in partitions.values()):
        raise _shares_persons(path)
    whole = {split: {ANY: rows[0]} for split, rows in partitions.items()}
    return replace(annotation, partitions=whole)


def refuse_release(path: str) -> Annotation:
    """Raise the error of an ordinary release."""
    raise _shares_persons(path)


def _shares_persons(path: str) -> ValueError:
    return ValueError(
        f"{path}: partitions without shared persons are not read from the ordinary "
        "release, whose training and test images show the same persons, but from the "
        "Strong Baseline's dataset_zs_run0.pkl to dataset_zs_run4.pkl"
    )


ZERO_SHOT_FORMATS = {
    **PARDataset.FORMATS,
    ".pkl": read_zero_shot,
    ".mat": refuse_release,
}
