"""Start-up time and memory of lists of ten thousand to ten million rows.

Writes text lists of random rows with PA-100K's 26 attributes, and opens each in a fresh
process, for every number of workers. There are no pictures: their root is an HTTP
address, where existence is not looked up, and the pipeline is empty. So a sample is
what its row says.

Ready is reading and checking the list. MB is what the main process then holds more than
before; peak, at most while reading. Of a worker, after the samples, on average: private
is what it shares with nobody, its Python included; PSS counts its share of the rest.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader, RandomSampler

from mmpar.datasets import AttributeListDataset

NUM_ATTRIBUTES = 26
ROWS_AT_A_TIME = 100_000
COLUMNS = (
    "rows",
    "workers",
    "list MB",
    "ready s",
    "µs a row",
    "MB",
    "peak MB",
    "samples/s",
    "private MB",
    "PSS MB",
)


def main() -> None:
    """Print the table, or the figures of one measurement."""
    args = parse_args()
    if args.measure:
        figures = measure(args.measure, args.workers[0], args.samples)
        print(json.dumps(figures))
        return
    print(f"| {' | '.join(COLUMNS)} |")
    print(f"|{'---|' * len(COLUMNS)}")
    with tempfile.TemporaryDirectory(dir=args.work_dir) as folder:
        for rows in args.rows:
            file = Path(folder, "list.txt")
            write_list(file, rows)
            for workers in args.workers:
                print_row(file, rows, workers, args.samples)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rows", type=int, nargs="+", default=[10**4, 10**5, 10**6, 10**7]
    )
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 4])
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--work-dir", help="where the lists go, which are deleted")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    return parser.parse_args()


def write_list(file: Path, rows: int) -> None:
    """Random labels, in parts, so that memory does not grow with the rows."""
    rng = np.random.default_rng(0)
    with file.open("wb") as target:
        for first in range(0, rows, ROWS_AT_A_TIME):
            count = min(ROWS_AT_A_TIME, rows - first)
            tails = np.full((count, 2 * NUM_ATTRIBUTES), ord(" "), np.uint8)
            tails[:, 1::2] = ord("0") + rng.integers(0, 2, (count, NUM_ATTRIBUTES))
            for i, tail in enumerate(tails, start=first):
                target.write(b"%05d/%08d.jpg%b\n" % (i // 1_000, i, tail.tobytes()))


def print_row(file: Path, rows: int, workers: int, samples: int) -> None:
    command = [sys.executable, __file__, "--measure", str(file)]
    command += ["--workers", str(workers), "--samples", str(samples)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    figures = json.loads(output.stdout)
    cells = [
        f"{rows:,}",
        str(workers),
        f"{file.stat().st_size / 1e6:,.0f}",
        f"{figures['ready']:.2f}",
        f"{figures['ready'] / rows * 1e6:.2f}",
        f"{figures['held']:,.0f}",
        f"{figures['peak']:,.0f}",
        f"{figures['speed']:,.0f}",
        f"{figures['private']:.0f}" if workers else "-",
        f"{figures['proportional']:.0f}" if workers else "-",
    ]
    print(f"| {' | '.join(cells)} |", flush=True)


def measure(file: str, workers: int, samples: int) -> dict[str, float]:
    """Open a list and draw random samples from it."""
    torch.set_num_threads(1)
    before = memory("Rss")
    start = time.perf_counter()
    dataset = AttributeListDataset(
        ann_file=file,
        schema="pa100k",
        data_prefix="http://pictures.invalid",
        pipeline=[],
    )
    ready = time.perf_counter() - start
    held = memory("Rss") - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1.024e-3 - before
    return dict(ready=ready, held=held, peak=peak, **draw(dataset, workers, samples))


def draw(dataset: AttributeListDataset, workers: int, samples: int) -> dict[str, float]:
    """Samples a second, and MB of a worker."""
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
    pids = [worker.pid for worker in multiprocessing.active_children()]
    private = [memory("Private_Clean", p) + memory("Private_Dirty", p) for p in pids]
    proportional = [memory("Pss", p) for p in pids]
    return dict(
        speed=speed,
        private=sum(private) / max(workers, 1),
        proportional=sum(proportional) / max(workers, 1),
    )


def memory(kind: str, pid: int | None = None) -> float:
    """MB of a process, itself by default, as Linux counts them."""
    for name, amount in _memory_lines(pid or os.getpid()):
        if name == kind:
            return amount
    raise RuntimeError(f"/proc/PID/smaps_rollup has no {kind}")


def _memory_lines(pid: int) -> Iterator[tuple[str, float]]:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, amount, _ = line.split()
        yield name.rstrip(":"), int(amount) * 1.024e-3


if __name__ == "__main__":
    main()
