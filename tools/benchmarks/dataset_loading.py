"""Start-up, memory and samples/s of datasets: dataset_loading.py {rows,roots}.

``rows``: text lists of random rows with 26 attributes, each opened in a fresh process.
There are no images: the image folder is an HTTP address, where existence is not
checked, and the pipeline is empty. Ready is reading and checking the list. MB is what
the main process then holds more than before; peak, at most while reading. Per worker,
after the samples, on average: private is what it shares with nobody, its Python
included; PSS adds its share of the rest.

``roots``: JPEG files of drawn pedestrians, read and decoded in random order from a
folder, a zip file and an LMDB in turns; medians. ``--cold`` drops the page cache of the
system before each turn, which takes root; what is below the file system may stay warm.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import torch
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader, RandomSampler

from mmpar.datasets import AttributeListDataset
from mmpar.datasets.file_backends import LmdbImageBackend, archive_of
from mmpar.datasets.packing import list_images, pack
from mmpar.synthetic import draw_person

NUM_ATTRIBUTES = 26
ROWS_COLUMNS = (
    *("rows", "workers", "list MB", "ready s", "µs per row", "MB", "peak MB"),
    *("samples/s", "private MB", "PSS MB"),
)
DROP_CACHES = Path("/proc/sys/vm/drop_caches")


def main() -> None:
    """Print the table, or the figures of one list."""
    args = parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    if args.measure:
        print(json.dumps(measure_list(args.measure, args.workers[0], args.samples)))
        return
    with tempfile.TemporaryDirectory(dir=args.work_dir) as folder:
        (compare_rows if args.what == "rows" else compare_roots)(Path(folder), args)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["rows", "roots"])
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 2])
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--work-dir", help="for files, which are deleted")
    parser.add_argument("--rows", type=int, nargs="+", default=[10**4, 10**5, 10**6])
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cold", action="store_true", help="drop the page cache")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.cold and not os.access(DROP_CACHES, os.W_OK):
        parser.error(f"--cold writes to {DROP_CACHES}, as root")
    return args


def print_head(*columns: str) -> None:
    """The head of a Markdown table."""
    print_row(*columns)
    print(f"|{'---|' * len(columns)}")


def print_row(*cells: object) -> None:
    """A line of a Markdown table."""
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


def draw_samples(
    dataset: AttributeListDataset, workers: int, samples: int
) -> tuple[float, list[Any]]:
    """Samples/s in random order from the second batch on, and memory of the workers."""
    before = {child.pid for child in psutil.Process().children()}
    loader = DataLoader(
        dataset,
        batch_size=64,
        sampler=RandomSampler(dataset, replacement=True, num_samples=samples),
        num_workers=workers,
        persistent_workers=workers > 0,  # they are looked at when all is read
        collate_fn=pseudo_collate,
    )
    batches = iter(loader)
    next(batches)  # the workers run
    start = time.perf_counter()
    read = sum(len(batch["gt_score"]) for batch in batches)
    speed = read / (time.perf_counter() - start)
    children = [c for c in psutil.Process().children() if c.pid not in before]
    used = [child.memory_full_info() for child in children]
    del batches, loader
    return speed, used


# --- rows -----------------------------------------------------------------------------


def compare_rows(folder: Path, args: argparse.Namespace) -> None:
    """One table row per list and number of workers."""
    print_head(*ROWS_COLUMNS)
    file = folder / "list.txt"
    for rows in args.rows:
        write_list(file, rows)
        for workers in args.workers:
            command = [sys.executable, __file__, "rows", "--measure", str(file)]
            command += ["--workers", str(workers), "--samples", str(args.samples)]
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE)
            found = json.loads(output.stdout)
            print_row(
                f"{rows:,}",
                workers,
                f"{file.stat().st_size / 1e6:,.0f}",
                f"{found['ready']:.2f}",
                f"{found['ready'] / rows * 1e6:.2f}",
                *(f"{found[name]:,.0f}" for name in ("held", "peak", "speed")),
                *(f"{amount:.0f}" for amount in found["worker"] or []),
                *["-"] * (0 if found["worker"] else 2),
            )


def write_list(file: Path, rows: int) -> None:
    """Random labels, in parts, so that memory does not grow with the rows."""
    rng = np.random.default_rng(0)
    with file.open("wb") as target:
        for first in range(0, rows, 100_000):
            count = min(100_000, rows - first)
            tails = np.full((count, 2 * NUM_ATTRIBUTES), ord(" "), np.uint8)
            tails[:, 1::2] = ord("0") + rng.integers(0, 2, (count, NUM_ATTRIBUTES))
            for i, tail in enumerate(tails, start=first):
                target.write(b"%05d/%08d.jpg%b\n" % (i // 1_000, i, tail.tobytes()))


def measure_list(file: str, workers: int, samples: int) -> dict[str, Any]:
    """Open a list and draw random samples from it; seconds and MB."""
    process = psutil.Process()
    before = process.memory_info().rss / 1e6
    start = time.perf_counter()
    dataset = AttributeListDataset(
        ann_file=file,
        schema="pa100k",
        data_prefix="http://images.invalid",
        pipeline=[],
    )
    ready = time.perf_counter() - start
    held = process.memory_info().rss / 1e6 - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1.024e-3 - before
    speed, used = draw_samples(dataset, workers, samples)
    worker = np.mean([(u.uss / 1e6, u.pss / 1e6) for u in used], axis=0) if used else []
    return dict(ready=ready, held=held, peak=peak, speed=speed, worker=[*worker])


# --- roots ----------------------------------------------------------------------------


def compare_roots(folder: Path, args: argparse.Namespace) -> None:
    """Samples/s, one table row per number of workers."""
    roots = make_roots(folder, args.images)
    speeds: dict[tuple[str, int], list[float]] = defaultdict(list)
    for _, workers, name in itertools.product(range(args.repeats), args.workers, roots):
        if args.cold:
            drop_caches(roots["LMDB"])
        speed, _ = draw_samples(roots[name], workers, args.samples)
        speeds[name, workers].append(speed)
    print_head("workers", *roots, "LMDB / folder")
    for workers in args.workers:
        row = {name: statistics.median(speeds[name, workers]) for name in roots}
        ratio = row["LMDB"] / row["folder"]
        print_row(workers, *(f"{speed:,.0f}" for speed in row.values()), f"{ratio:.2f}")


def make_roots(work_dir: Path, count: int) -> dict[str, AttributeListDataset]:
    """The same images in a folder, a zip file and an LMDB."""
    folder = work_dir / "folder"
    write_images(folder, count)
    names = list_images(folder).names
    (work_dir / "list.txt").write_text("".join(f"{name} 0\n" for name in names))
    zip_file, database = work_dir / "all.zip", work_dir / "all.lmdb"
    for out in (zip_file, database):
        pack(folder, names, out)
    os.sync()  # what is not written yet cannot be dropped from the cache
    sizes = [(folder / name).stat().st_size for name in names]
    print(f"{count:,} images of {np.mean(sizes) / 1e3:.1f} kB on average\n")
    backends: dict[str, dict[str, Any] | None] = {
        "folder": None,
        "zip": dict(backend="zip", zip_path=str(zip_file)),
        "LMDB": dict(backend="mmpar_lmdb", db_path=str(database)),
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


def write_images(folder: Path, count: int) -> None:
    """JPEG files of 64x128, no two of them with the same bytes."""
    rng = np.random.default_rng(0)
    drawn = [draw_person(0, i, (64, 128)).image for i in range(min(200, count))]
    for i in range(count):
        image = drawn[i % len(drawn)]
        noisy = np.clip(image + rng.integers(-4, 5, image.shape), 0, 255)
        file = folder / f"{i // 1_000:05}" / f"{i:08}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(cv2.imencode(".jpg", noisy.astype(np.uint8))[1].tobytes())


def drop_caches(in_lmdb: AttributeListDataset) -> None:
    """Drop the page cache, and what the LMDB has mapped, which would stay."""
    archive = archive_of(in_lmdb.backend_args)
    assert isinstance(archive, LmdbImageBackend)
    archive.close()
    DROP_CACHES.write_text("3")


if __name__ == "__main__":
    main()
