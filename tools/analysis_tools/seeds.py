"""Train and test configs with several seeds: seeds.py CONFIG ... [--seeds 0 1 2].

Prints a Markdown table of means and standard deviations. What is done already in the
work dir is not done again, so an interrupted comparison goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.progress import Progress

TOOLS = Path(__file__).parents[1]


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("configs", nargs="+", help="config files, a row each")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument(
        "--metrics",
        nargs="+",
        default=["par/mA", "par/instance_f1", "par/label_f1"],
        help="columns of the table",
    )
    parser.add_argument("--work-dir", default="work_dirs/seeds")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    parser.add_argument(
        "--cfg-options", nargs="+", default=[], help="as for train.py and test.py"
    )
    return parser.parse_args()


def metrics_of_run(config: str, seed: int, args: argparse.Namespace) -> dict:
    """Test metrics of one config and seed, trained unless that was done before.

    Raises:
        RuntimeError: A tool failed; names its log.
    """
    folder = Path(args.work_dir) / f"{Path(config).stem}_seed{seed}"
    done = folder / "seed_metrics.json"
    asked = dict(config=str(config), cfg_options=args.cfg_options)
    if done.exists():
        before = json.loads(done.read_text())
        if before["asked"] != asked:
            raise RuntimeError(
                f"{done} comes from another question, {before['asked']}; "
                "choose another --work-dir or remove it"
            )
        return before["metrics"]
    folder.mkdir(parents=True, exist_ok=True)
    options = ["--cfg-options", f"randomness.seed={seed}", *args.cfg_options]
    run("train.py", [config, "--work-dir", folder, "--resume", *options], folder, args)
    test_dir = folder / "test"
    run("test.py", [config, folder, "--work-dir", test_dir, *options], folder, args)
    # MMEngine names the file with the metrics of a test after its time.
    newest = max(test_dir.glob("*/*.json"), key=os.path.getmtime)
    metrics = json.loads(newest.read_text())
    partial = done.with_suffix(".part")
    partial.write_text(json.dumps(dict(asked=asked, metrics=metrics), indent=2))
    partial.replace(done)
    return metrics


def run(tool: str, arguments: Sequence, folder: Path, args: argparse.Namespace) -> None:
    """Run a tool; jobs at the same time share the cores."""
    threads = max(1, len(os.sched_getaffinity(0)) // args.jobs)
    log = folder / f"{tool}.log"
    with log.open("w") as output:
        done = subprocess.run(
            [sys.executable, str(TOOLS / tool), *map(str, arguments)],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={"OMP_NUM_THREADS": str(threads), **os.environ},
        )
    if done.returncode != 0:
        raise RuntimeError(f"{tool} failed, its last lines are in {log}")


def table(results: dict[str, list[dict]], metrics: Sequence[str]) -> str:
    """A row a config: mean and sample standard deviation over the seeds."""
    lines = ["| config | " + " | ".join(metrics) + " |", "|---" * (len(metrics) + 1)]
    lines[1] += "|"
    for config, runs in results.items():
        cells = []
        for metric in metrics:
            values = [run[metric] for run in runs if metric in run]
            cells.append(spread(values) if values else "-")
        lines.append(f"| `{Path(config).name}` | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def spread(values: Sequence[float]) -> str:
    """Mean, and the standard deviation of two values or more."""
    mean = f"{statistics.mean(values):.2f}"
    return f"{mean} ± {statistics.stdev(values):.2f}" if len(values) > 1 else mean


def main() -> None:
    """Run all that is missing, then print the table."""
    args = parse_args()
    results: dict[str, list[dict]] = {}
    # Seeds first: an interrupted comparison then has as many of each config.
    asked = [(config, seed) for seed in args.seeds for config in args.configs]
    with Progress() as progress, ThreadPoolExecutor(args.jobs) as pool:
        bar = progress.add_task("runs", total=len(asked))
        futures = [pool.submit(metrics_of_run, *pair, args) for pair in asked]
        for (config, _), future in zip(asked, futures):
            results.setdefault(config, []).append(future.result())
            progress.advance(bar)
    print(table({c: results[c] for c in args.configs}, args.metrics))


if __name__ == "__main__":
    main()
