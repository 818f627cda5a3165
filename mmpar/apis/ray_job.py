"""Predictions by the workers of a Ray cluster.

A chunk of images is one row of a Ray dataset, and the worker that gets it writes the
chunk's file under its own name, whole or not at all. Ray gives the row of a worker that
died to another, and may give one twice: the file is the same, so that each image is
answered once.
"""

from __future__ import annotations

import logging
import os
import pickle
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mmpar.apis.predict_files import (
    Answers,
    Chunk,
    PredictorSettings,
    Summary,
    predict_to_file,
)

try:
    import ray
    import ray.data
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "Ray is not installed here: pip install 'mmpar[ray]', on all machines"
    ) from error

TABLES: dict[str, tuple[Any, str]] = {
    ".parquet": (ray.data.read_parquet, "path"),
    ".csv": (ray.data.read_csv, "path"),
    ".json": (ray.data.read_json, "path"),
    ".jsonl": (ray.data.read_json, "path"),
    ".txt": (ray.data.read_text, "text"),
}
"""Ending of a table of images to what reads it, and the column with their paths."""


def predict_on_ray(
    address: str,
    settings: PredictorSettings,
    sources: Iterable[Any],
    out: str | Path,
    **wanted: Any,
) -> Summary:
    """As :func:`predict_to_file`, but the workers of a cluster answer.

    All machines need mmpar, and have to see the model, the images and the folder of
    ``out`` under the same paths.

    Args:
        address: Of the cluster; ``auto`` for the one that this machine is part of,
            ``local`` for one that is started for this job.
        settings: The model. Its device is by default ``cuda`` if the cluster has GPUs,
            and each worker then has one of them; otherwise each has one CPU.
        sources: As for :func:`predict_to_file`; also tables of paths with an ending of
            ``TABLES``, and Ray datasets with a column ``path``.
        out: As for :func:`predict_to_file`, as are all others.

    Raises:
        ConnectionError: There is no cluster.
        ValueError: A table has no such column; and as :func:`predict_to_file`.
    """
    own = not ray.is_initialized()
    if own:
        ray.init(address, logging_level=logging.WARNING)
    try:
        if settings.device is None:
            has_gpu = ray.cluster_resources().get("GPU", 0) > 0
            settings = replace(settings, device="cuda" if has_gpu else "cpu")
        ray.data.DataContext.get_current().enable_progress_bars = False
        paths = list(_with_tables(sources))
        return predict_to_file(settings, paths, out, run=run_on_ray, **wanted)
    finally:
        if own:
            ray.shutdown()


def run_on_ray(
    settings: PredictorSettings, answers: Answers, chunks: Sequence[Chunk]
) -> Iterator[Chunk]:
    """Have chunks answered and written by workers; gives each when it is done."""
    if not chunks:
        return
    gpus = 1 if str(settings.device).startswith("cuda") else 0
    kind = "GPU" if gpus else "CPU"
    workers = int(ray.cluster_resources().get(kind, 0))
    if workers < 1:
        raise ValueError(f"the Ray cluster has no {kind}; choose another --device")
    rows = [dict(chunk=pickle.dumps(chunk)) for chunk in chunks]
    done = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
        _Worker,
        fn_constructor_args=(settings, answers, os.getcwd()),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=workers),
        num_cpus=0 if gpus else 1,
        num_gpus=gpus,
    )
    by_number = {chunk.number: chunk for chunk in chunks}
    for row in done.iter_rows():
        yield by_number[row["number"]]


class _Worker:
    """Answers chunks, one at a time, in a process of its own.

    Args:
        settings: The model.
        answers: What is wanted.
        folder: That relative paths begin from.
    """

    def __init__(
        self, settings: PredictorSettings, answers: Answers, folder: str
    ) -> None:
        os.chdir(folder)
        self.answers = answers
        self.predictor = settings.open()

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, list[int]]:
        """Write what is not written yet; gives the numbers of the chunks."""
        chunks = [pickle.loads(chunk) for chunk in batch["chunk"]]
        todo = [chunk for chunk in chunks if not self.answers.part(chunk).exists()]
        for _ in self.answers.write(self.predictor, todo):
            pass
        return dict(number=[chunk.number for chunk in chunks])


def _with_tables(sources: Iterable[Any]) -> Iterator[Any]:
    """The sources, with the paths in place of tables, in their order."""
    ray.data.DataContext.get_current().execution_options.preserve_order = True
    for source in sources:
        if isinstance(source, ray.data.Dataset):
            yield from _column(source, "path", "the Ray dataset")
        elif Path(source).suffix.lower() in TABLES:
            read, name = TABLES[Path(source).suffix.lower()]
            yield from _column(read(str(source)), name, str(source))
        else:
            yield source


def _column(dataset: Any, name: str, source: str) -> Iterator[str]:
    columns = dataset.columns() or []
    if name not in columns:
        raise ValueError(
            f"{source} has no column {name!r} with the paths of images; it has "
            f"{columns}"
        )
    for row in dataset.select_columns([name]).iter_rows():
        yield row[name]
