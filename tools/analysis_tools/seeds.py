"""Train and test configs with several seeds: seeds.py CONFIG ... [--seeds 0 1 2].

Prints a Markdown table of means and standard deviations. What is done already in the
work dir is not done again, so an interrupted comparison goes on where it was, and
explainers that only some of the configs can have are added by a second call for those.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from threading import Event

from mmpar.utils.cli import EXPLAINERS_BY_NAME, config_arguments, config_names


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("configs", nargs="+", help="config files, a row each")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument(
        "--explainers",
        nargs="*",
        default=[],
        choices=EXPLAINERS_BY_NAME,
        help="judged by localize.py after the test; every config must allow them",
    )
    parser.add_argument(
        "--metrics",
        nargs="+",
        help="columns of the table; those of an explainer begin with its name, and are "
        "filled where it was judged, in this call or before (par/mA, par/instance_f1, "
        "par/label_f1 and EXPLAINER/mean_iou)",
    )
    parser.add_argument("--work-dir", default="work_dirs/seeds")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    parser.add_argument(
        "--cfg-options", nargs="+", default=[], help="as for train.py and test.py"
    )
    parser.add_argument(
        "--localize-options",
        nargs="+",
        default=[],
        help="config options for localize.py alone, e.g. "
        "test_dataloader.dataset.num_samples=300",
    )
    args = parser.parse_args(arguments)
    config_names(parser, args.configs)
    if args.metrics is None:
        args.metrics = ["par/mA", "par/instance_f1", "par/label_f1"]
        args.metrics += [f"{name}/mean_iou" for name in args.explainers]
    return args


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

from rich.progress import Progress

from mmpar.engine import config_hash, read_config

TOOLS = Path(__file__).parents[1]


class Run:
    """One config and seed: trained, tested and explained in a folder of its own.

    Each step leaves its metrics in a file with the question they answer, so that no
    step is done twice and none answers for a config that has changed since.
    """

    def __init__(self, config: str, seed: int, args: argparse.Namespace) -> None:
        self.config = config
        self.folder = Path(args.work_dir) / f"{Path(config).stem}_seed{seed}"
        self.args = args
        self.options = [f"randomness.seed={seed}", *args.cfg_options]
        self.localize_options = [*self.options, *args.localize_options]
        self.asked = question(config, self.options)
        self.localize_asked = question(config, self.localize_options)

    def metrics(self, stop: Event) -> dict:
        """Those of the test and of the explainers, computed unless they are there."""
        self._claim()
        found = self._once("test", self.asked, partial(self._train_and_test, stop))
        for name in EXPLAINERS_BY_NAME:
            if name in self.args.explainers or self._in_table(name):
                explained = self._once(
                    name, self.localize_asked, partial(self._localize, name, stop)
                )
                found = {**found, **explained}
        return found

    def _in_table(self, name: str) -> bool:
        """Whether a column shows what a former call found for this explainer."""
        wanted = any(metric.startswith(f"{name}/") for metric in self.args.metrics)
        return wanted and self._file(name).exists()

    def _file(self, step: str) -> Path:
        return self.folder / f"{step}_metrics.json"

    def _once(self, step: str, asked: dict, compute: Callable[[], dict]) -> dict:
        """The metrics in the step's file, computed first if there is none."""
        file = self._file(step)
        if file.exists():
            return answer(file, asked, remove=file)["metrics"]
        metrics = compute()
        write_json(file, dict(asked=asked, metrics=metrics))
        return metrics

    def _claim(self) -> None:
        """Keep the folder for this question: its training is resumed, once stopped.

        Raises:
            RuntimeError: The folder holds something else.
        """
        file = self.folder / "training.json"
        if file.exists():
            answer(file, self.asked, remove=self.folder)
        elif self.folder.exists() and any(self.folder.iterdir()):
            raise RuntimeError(
                f"{self.folder} holds files that this tool did not begin with; choose "
                "another --work-dir or remove it"
            )
        else:
            write_json(file, dict(asked=self.asked))

    def _train_and_test(self, stop: Event) -> dict:
        train_args = [self.config, "--work-dir", self.folder, "--resume"]
        self._run("train.py", train_args, self.options, "train", stop)
        test_args = [self.config, self.folder, "--work-dir", self.folder]
        self._run("test.py", test_args, self.options, "test", stop)
        return newest_metrics(self.folder / "test")

    def _localize(self, name: str, stop: Event) -> dict:
        out = self.folder / name
        tool_args = [self.config, self.folder, "--explainer", name, "--work-dir", out]
        tool = "analysis_tools/localize.py"
        self._run(tool, tool_args, self.localize_options, name, stop)
        return {
            f"{name}/{key.split('/')[-1]}": value
            for key, value in newest_metrics(out / "localize").items()
        }

    def _run(
        self, tool: str, args: Sequence, options: Sequence[str], name: str, stop: Event
    ) -> None:
        """Run a tool until it ends or ``stop`` is set; jobs share the cores.

        Raises:
            RuntimeError: It failed; names its log.
        """
        threads = max(1, len(os.sched_getaffinity(0)) // self.args.jobs)
        words = [str(TOOLS / tool), *map(str, args), "--cfg-options", *options]
        log = self.folder / f"{name}.log"
        with (
            log.open("w") as output,
            subprocess.Popen(
                [sys.executable, *words],
                stdout=output,
                stderr=subprocess.STDOUT,
                env={"OMP_NUM_THREADS": str(threads), **os.environ},
            ) as process,
        ):
            while process.poll() is None:
                if stop.wait(0.2):
                    process.terminate()
                    process.wait()
        if process.returncode != 0:
            raise RuntimeError(f"{tool} failed, its last lines are in {log}")


def question(config: str, options: Sequence[str]) -> dict:
    """What a figure answers: the config as it is now, options included."""
    words = [config, "--cfg-options", *options]
    resolved = read_config(config_arguments("").parse_args(words))
    return dict(
        config=str(config), cfg_options=list(options), hash=config_hash(resolved)
    )


def answer(file: Path, asked: dict, remove: Path) -> dict:
    """The content of a step's file.

    Raises:
        RuntimeError: It answers another question; names what to ``remove``.
    """
    content = json.loads(file.read_text(encoding="utf-8"))
    before = content["asked"]
    if before["hash"] == asked["hash"]:
        return content
    if {**before, "hash": None} == {**asked, "hash": None}:
        source = f"{asked['config']} as it was before it, or a base of it, was changed"
    else:
        source = f"another question, {before} instead of {asked}"
    raise RuntimeError(
        f"{file} comes from {source}; choose another --work-dir or remove {remove}"
    )


def newest_metrics(work_dir: Path) -> dict:
    """What the last test in a work dir wrote; MMEngine names the file by its time."""
    newest = max(work_dir.glob("*/*.json"), key=os.path.getmtime)
    return json.loads(newest.read_text(encoding="utf-8"))


def write_json(file: Path, content: dict) -> None:
    """Write a file that is never there in part."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".part")
    partial.write_text(json.dumps(content, indent=2), encoding="utf-8")
    partial.replace(file)


def compute_all(runs: Sequence[Run], jobs: int) -> list[dict]:
    """Metrics of all runs; the first error, or Ctrl-C, ends what runs and the rest."""
    stop = Event()
    pool = ThreadPoolExecutor(jobs)
    try:
        with Progress() as progress:
            bar = progress.add_task("runs", total=len(runs))
            futures: list[Future] = [pool.submit(run.metrics, stop) for run in runs]
            for future in as_completed(futures):
                future.result()
                progress.advance(bar)
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)
    return [future.result() for future in futures]


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


def main(args: argparse.Namespace) -> None:
    """Run all that is missing, then print the table."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the tools, too
    # Seeds first: an interrupted comparison then has as many of each config.
    runs = [Run(config, seed, args) for seed in args.seeds for config in args.configs]
    results: dict[str, list[dict]] = {config: [] for config in args.configs}
    for run, metrics in zip(runs, compute_all(runs, args.jobs)):
        results[run.config].append(metrics)
    print(table(results, args.metrics))


if __name__ == "__main__":
    main(ARGS)
