"""From a release or lists to one OpenMMLab 2.0 annotation file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.logging import print_log

from mmpar.datasets.base import PARDataset
from mmpar.datasets.corrections import Corrections
from mmpar.datasets.formats.openmmlab_json import openmmlab_text
from mmpar.datasets.sources import find_parts
from mmpar.utils.atomic import write_atomically

FILE_NAME = "annotation.json"


def prepare(
    kind: type[PARDataset],
    partitions: Sequence[int],
    out_dir: str,
    split: str = "",
    ann_file: str | Sequence[str] = (),
    corrections: str = "",
    **kwargs: Any,
) -> Path:
    """Write the splits that a dataset has to ``out_dir/annotation.json``.

    The file appears only when it is complete, and never replaces another.

    Args:
        kind: The class that reads the release or the lists.
        partitions: Which partitions; lists have the one, 0.
        out_dir: Folder to write to.
        split: Only this one; a list of one split may not say which it is.
        ann_file: The annotation file, or several lists.
        corrections: A review whose new labels are written, see :class:`Corrections`.
        kwargs: As for the class: ``data_root``, ``schema``, ``missing_images``, ...

    Returns:
        The file.

    Raises:
        ValueError: There is no such split or partition, or ``split`` is needed; splits
            have different attributes; or the file is there and differs.
        ValueError: A correction does not fit, or its image is not written.
        ValueError, FileNotFoundError: As the class does for a faulty annotation.
    """
    files = [ann_file] if isinstance(ann_file, str) else list(ann_file)
    files = [file for file in files if file]
    parts = find_parts(kind, files, partitions, split, must_be_named=True, **kwargs)
    if not parts:
        raise ValueError("no partition is given; there is nothing to write")
    first = parts[0].open(lazy_init=True)
    tables = []
    review = Corrections(corrections) if corrections else None
    for part in parts:
        dataset = part.open()
        if dataset.schema.names != first.schema.names:
            raise ValueError(
                f"{parts[0].split} and {part.split} have different attributes: "
                f"{list(first.schema.names)} and {list(dataset.schema.names)}"
            )
        table = review.apply(dataset) if review else dataset.table
        tables.append((part.split, part.partition, table))
        print_log(f"{part.split} {part.partition}: {len(dataset)} images", "current")
    if review:
        review.require_all_applied()
        print_log(f"{len(review.corrections)} labels corrected", "current")
    title = kind.METAINFO.get("dataset_name", kind.__name__)
    metainfo = {**first.metainfo, "dataset_name": title}
    text = "".join(openmmlab_text(metainfo, tables))
    content = text.encode("utf-8", "surrogateescape")
    out = Path(out_dir) / FILE_NAME
    if out.exists() and out.read_bytes() != content:
        raise ValueError(
            f"{out} exists and is another annotation; to replace it delete it, to keep "
            "both give another --out. Several partitions are written by one command"
        )
    write_atomically(out, content)
    return out
