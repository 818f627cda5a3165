"""PA-100K: 100,000 pedestrians with 26 attributes, read from its own release."""

from __future__ import annotations

import numpy as np

from mmpar.datasets.base import PARDataset
from mmpar.datasets.formats import matlab
from mmpar.datasets.formats.annotation import Annotation, pack_paths
from mmpar.registry import DATASETS
from mmpar.structures import build_schema


def read_pa100k(path: str) -> Annotation:
    """Read PA-100K's ``annotation.mat``.

    The fields are ``attributes``, and for each of the splits train, val and test, as
    far as the file has them, ``{split}_images_name`` (N x 1 cells of cells) and
    ``{split}_label`` (N x 26).

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A field is missing or is not as the release has it.
    """
    fields = matlab.read_mat(path)
    cells = matlab.field(fields, "attributes", path)
    attributes = matlab.strings(cells, f"{path}, attributes")
    expected = build_schema("pa100k")
    if tuple(attributes) != expected.names:
        raise ValueError(
            f"{path} has the attributes {attributes}, but the schema "
            f"{expected.title!r} has {list(expected.names)}; the release's own file "
            "has the latter, in that order"
        )
    images: list[str] = []
    labels = []
    partitions = {}
    for split in ("train", "val", "test"):
        if f"{split}_label" not in fields:
            continue
        cells = matlab.field(fields, f"{split}_images_name", path)
        names = matlab.strings(cells, f"{path}, {split}_images_name")
        found = np.asarray(fields[f"{split}_label"])
        if found.shape != (len(names), len(attributes)):
            raise ValueError(
                f"{path}, {split}_label has the shape {found.shape}, expected "
                f"{(len(names), len(attributes))}: one row for each image of "
                f"{split}_images_name and one column for each attribute"
            )
        partitions[split] = {0: np.arange(len(names)) + len(images)}
        images += names
        labels.append(found)
    if not labels:
        matlab.field(fields, "train_label", path)  # an error with what is there
    return Annotation(
        source=path,
        attributes=attributes,
        images=pack_paths(images),
        labels=np.concatenate(labels),
        partitions=partitions,
    )


@DATASETS.register_module()
class PA100K(PARDataset):
    """PA-100K (Liu et al., "HydraPlus-Net", ICCV 2017), as its authors release it.

    ::

        data_root/
            annotation.mat           (or annotation/annotation.mat)
            data/000001.jpg ...      (or release_data/release_data/000001.jpg ...)

    Args:
        data_root: The folder above.
        split: ``'train'`` (80,000), ``'val'`` (10,000), ``'test'`` (10,000) or
            ``'trainval'``.
        ann_file: Another place of ``annotation.mat``.
        data_prefix: Folder of the images; by default whichever of the known ones
            there is.
        kwargs: As for :class:`PARDataset`; there are no partitions.
    """

    METAINFO = dict(dataset_name="PA-100K")
    SCHEMA = "pa100k"
    SPLITS = ("train", "val", "test", "trainval")
    NUM_IMAGES = dict(train=80_000, val=10_000, test=10_000, trainval=90_000)
    FORMATS = {**PARDataset.FORMATS, ".mat": read_pa100k}
    ANN_FILE = "annotation.mat"
    ANN_DIRS = ("annotation",)
    IMAGE_DIRS = ("data", "release_data/release_data", "release_data")
