"""Samples a second from a folder of many small pictures, a zip file and an LMDB.

Writes JPEG files of drawn pedestrians, each person many times with other noise, packs
them, and reads and decodes them in random order with LoadPersonImage. All roots take
turns; the table has the medians. Cold turns drop the page cache of the system before,
which takes root; what lies below the file system may still be warm.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from rich.console import Console
from rich.progress import track
from torch.utils.data import DataLoader, RandomSampler

from mmpar.datasets import AttributeListDataset
from mmpar.datasets.file_backends import LmdbImageBackend, archive_of
from mmpar.datasets.packing import find_pictures, pack
from mmpar.synthetic import draw_person

PICTURES_A_FOLDER = 1_000
STATES = ("warm", "cold")
DROP_CACHES = Path("/proc/sys/vm/drop_caches")

Key = tuple[str, int, str]
"""Root, workers, cold or warm."""


def main() -> None:
    """Make the pictures, read them, print the table."""
    args = parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory(dir=args.work_dir) as work_dir:
        roots = make_roots(Path(work_dir), args.pictures, args.people, args.size)
        speeds: dict[Key, list[float]] = defaultdict(list)
        # Warm ones first: all has just been written, and is in the cache.
        states = [state for state in STATES if state in args.states]
        turns = itertools.product(states, range(args.repeats), args.workers, roots)
        for state, _, workers, name in turns:
            samples = args.samples
            if state == "cold":
                close_lmdb(roots["LMDB"])
                DROP_CACHES.write_text("3")
                samples = args.cold_samples
            speed = samples_a_second(roots[name], workers, samples)
            speeds[name, workers, state].append(speed)
    print_table(speeds, list(roots), states)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=100_000)
    parser.add_argument("--people", type=int, default=200, help="drawn ones")
    parser.add_argument("--size", type=int, nargs=2, default=(64, 128))
    parser.add_argument("--samples", type=int, default=20_000, help="of a warm turn")
    parser.add_argument("--cold-samples", type=int, default=5_000)
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 2])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--states", nargs="+", choices=STATES, default=STATES)
    parser.add_argument("--work-dir", help="where the pictures go, which are deleted")
    args = parser.parse_args()
    if "cold" in args.states and not os.access(DROP_CACHES, os.W_OK):
        parser.error(
            f"cold turns must write to {DROP_CACHES}; as root, or give --states warm"
        )
    return args


def make_roots(
    work_dir: Path, pictures: int, people: int, size: tuple[int, int]
) -> dict[str, AttributeListDataset]:
    """A data set of each root."""
    folder = work_dir / "folder"
    write_pictures(folder, pictures, people, size)
    names = find_pictures(folder).names
    lines = [f"{name} 0\n" for name in names]
    (work_dir / "list.txt").write_text("".join(lines))
    zip_file, lmdb_folder = work_dir / "all.zip", work_dir / "all.lmdb"
    for out in (zip_file, lmdb_folder):
        pack(folder, names, out)
    os.sync()  # what is not written yet cannot be dropped from the cache
    sizes = [(folder / name).stat().st_size for name in names]
    print(f"{pictures:,} pictures of {np.mean(sizes) / 1e3:.1f} kB on average\n")
    backends: dict[str, dict[str, Any] | None] = {
        "folder": None,
        "zip": dict(backend="zip", zip_path=str(zip_file)),
        "LMDB": dict(backend="lmdb", db_path=str(lmdb_folder)),
    }
    return {
        name: AttributeListDataset(
            ann_file=str(work_dir / "list.txt"),
            schema=dict(names=["Any"]),
            data_prefix="" if backend_args else str(folder),
            backend_args=backend_args,
            pipeline=[dict(type="LoadPersonImage", backend_args=backend_args)],
        )
        for name, backend_args in backends.items()
    }


def write_pictures(
    folder: Path, count: int, people: int, size: tuple[int, int]
) -> None:
    """No two files have the same bytes."""
    rng = np.random.default_rng(0)
    drawn = [draw_person(0, person, size).image for person in range(min(people, count))]
    for i in track(range(count), "pictures", console=Console(file=sys.stderr)):
        image = drawn[i % len(drawn)]
        noisy = np.clip(image + rng.integers(-4, 5, image.shape), 0, 255)
        file = folder / f"{i // PICTURES_A_FOLDER:05}" / f"{i:08}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(cv2.imencode(".jpg", noisy.astype(np.uint8))[1].tobytes())


def close_lmdb(dataset: AttributeListDataset) -> None:
    """What a process has mapped cannot be dropped from the cache."""
    archive = archive_of(dataset.backend_args)
    assert isinstance(archive, LmdbImageBackend)
    archive.close()


def samples_a_second(
    dataset: AttributeListDataset, workers: int, samples: int
) -> float:
    """Random ones, from the second batch on."""
    loader = DataLoader(
        dataset,
        batch_size=64,
        sampler=RandomSampler(dataset, replacement=True, num_samples=samples),
        num_workers=workers,
        collate_fn=pseudo_collate,
    )
    batches = iter(loader)
    next(batches)  # the workers run
    start = time.perf_counter()
    read = sum(len(batch["img"]) for batch in batches)
    return read / (time.perf_counter() - start)


def print_table(
    speeds: dict[Key, list[float]], roots: list[str], states: list[str]
) -> None:
    """Samples a second, a line for each number of workers, cold and warm."""
    print(f"| page cache | workers | {' | '.join(roots)} | LMDB / folder |")
    print(f"|{'---|' * (len(roots) + 3)}")
    for state in states:
        for workers in sorted({key[1] for key in speeds}):
            row = {r: statistics.median(speeds[r, workers, state]) for r in roots}
            cells = " | ".join(f"{speed:,.0f}" for speed in row.values())
            ratio = row["LMDB"] / row["folder"]
            print(f"| {state} | {workers} | {cells} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
