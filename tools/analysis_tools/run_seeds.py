"""Train and test configs with several seeds: run_seeds.py CONFIG ... [--seeds 0 1 2].

Prints a Markdown table of means and standard deviations. A finished step is not
repeated, so an interrupted comparison continues where it was, and explainers that only
some of the configs support are added by a second call for those.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from mmpar.utils.cli import config_arguments, config_names, explainer_name


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("configs", nargs="+", help="config files, one row each")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument(
        "--explainers",
        nargs="*",
        type=explainer_name,
        default=[],
        metavar="CLASS",
        help="evaluated by eval_localization.py after the test, such as GradCAM",
    )
    parser.add_argument(
        "--metrics",
        nargs="+",
        help="columns of the table; those of an explainer begin with its name, and are "
        "filled where it was evaluated, in this call or before (par/mA, "
        "par/instance_f1, par/label_f1 and EXPLAINER/mean_iou)",
    )
    parser.add_argument("--work-dir", default="work_dirs/seeds")
    parser.add_argument(
        "--cfg-options", nargs="+", default=[], help="as for train.py and test.py"
    )
    parser.add_argument(
        "--localize-options",
        nargs="+",
        default=[],
        help="config options for eval_localization.py alone, e.g. "
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

import pandas as pd
from rich.progress import track

from mmpar.utils.atomic import write_atomically
from mmpar.utils.config import hash_config, read_config

TOOLS = Path(__file__).parents[1]


class Run:
    """One config and seed: trained, tested and explained in a folder of its own.

    Each step leaves its metrics in a file with the settings that gave them, so that no
    step runs twice and none is taken for another's.
    """

    def __init__(self, config: str, seed: int, args: argparse.Namespace) -> None:
        self.config = config
        self.folder = Path(args.work_dir) / f"{Path(config).stem}_seed{seed}"
        self.options = [f"randomness.seed={seed}", *args.cfg_options]
        self.localize_options = [*self.options, *args.localize_options]
        self.columns = {name.split("/")[0] for name in args.metrics}
        self.explainers = args.explainers

    def metrics(self) -> dict[str, float]:
        """Those of the test and of the explainers, computed unless they are there."""
        settings = describe_settings(self.config, self.options)
        self._claim(settings)
        found = self._once("test", settings, self._train_and_test)
        settings = describe_settings(self.config, self.localize_options)
        earlier = {n for n in self.columns if self._file(n).exists()}
        for name in dict.fromkeys([*self.explainers, *sorted(earlier)]):
            found |= self._once(name, settings, lambda name=name: self._localize(name))
        return found

    def _file(self, step: str) -> Path:
        return self.folder / f"{step}_metrics.json"

    def _claim(self, settings: dict) -> None:
        """Keep the folder for these settings: a stopped training is resumed.

        Raises:
            RuntimeError: The folder holds something else.
        """
        file = self.folder / "training.json"
        if file.exists():
            read_result(file, settings, remove=self.folder)
        elif self.folder.exists() and any(self.folder.iterdir()):
            raise RuntimeError(
                f"{self.folder} holds files that this tool did not write; choose "
                "another --work-dir or remove it"
            )
        else:
            write_json(file, dict(settings=settings))

    def _once(self, step: str, settings: dict, compute: Callable[[], dict]) -> dict:
        """The metrics in the step's file, computed first if there is none."""
        file = self._file(step)
        if not file.exists():
            write_json(file, dict(settings=settings, metrics=compute()))
        return read_result(file, settings, remove=file)["metrics"]

    def _train_and_test(self) -> dict:
        work_dir = ("--work-dir", self.folder)
        self._run("train", "train.py", *work_dir, "--resume", options=self.options)
        self._run("test", "test.py", self.folder, *work_dir, options=self.options)
        return read_newest_metrics(self.folder / "test")

    def _localize(self, name: str) -> dict:
        out = self.folder / name
        words = (self.folder, "--explainer", name, "--work-dir", out)
        tool = "analysis_tools/eval_localization.py"
        self._run(name, tool, *words, options=self.localize_options)
        metrics = read_newest_metrics(out / "eval_localization")
        return {f"{name}/{key.split('/')[-1]}": n for key, n in metrics.items()}

    def _run(self, step: str, tool: str, *words: object, options: list[str]) -> None:
        """Run a tool to its end.

        Raises:
            RuntimeError: It failed; names its log.
        """
        log = self.folder / f"{step}.log"
        command = [sys.executable, TOOLS / tool, self.config, *words]
        command += ["--cfg-options", *options]
        with log.open("w") as output:
            done = subprocess.run(
                list(map(str, command)), stdout=output, stderr=subprocess.STDOUT
            )
        if done.returncode != 0:
            raise RuntimeError(f"{tool} failed, its last lines are in {log}")


def describe_settings(config: str, options: Sequence[str]) -> dict:
    """What a figure depends on: the config as it is now, options included."""
    words = [config, "--cfg-options", *options]
    resolved = read_config(config_arguments("").parse_args(words))
    return dict(
        config=str(config), cfg_options=list(options), hash=hash_config(resolved)
    )


def read_result(file: Path, settings: dict, remove: Path) -> dict:
    """The content of a step's file.

    Raises:
        RuntimeError: It has other settings, or is damaged; names what to ``remove``.
    """
    remedy = f"choose another --work-dir or remove {remove}"
    content = read_json(file, remedy)
    # Files written before were of the same content under another name.
    before = content.get("settings", content.get("asked"))
    if not isinstance(before, dict) or "hash" not in before:
        raise RuntimeError(f"{file} does not hold the settings of a run; {remedy}")
    if before["hash"] == settings["hash"]:
        return content
    if {**before, "hash": None} == {**settings, "hash": None}:
        source = f"{settings['config']} before it, or a base of it, was changed"
    else:
        source = f"other settings, {before} instead of {settings}"
    raise RuntimeError(f"{file} comes from {source}; {remedy}")


def read_newest_metrics(work_dir: Path) -> dict:
    """What the last test in a work dir wrote; MMEngine names the file by its time."""
    newest = max(work_dir.glob("*/*.json"), key=os.path.getmtime)
    return read_json(newest, "remove it")


def read_json(file: Path, remedy: str) -> dict:
    """A JSON object; ``RuntimeError`` with the remedy if the file holds none."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RuntimeError(f"{file} is damaged ({error}); {remedy}") from error
    if not isinstance(content, dict):
        raise RuntimeError(f"{file} does not hold a JSON object; {remedy}")
    return content


def write_json(file: Path, content: dict) -> None:
    """Write a file that is complete or absent."""
    write_atomically(file, json.dumps(content, indent=2))


def markdown_table(results: pd.DataFrame, metrics: Sequence[str]) -> str:
    """One row per config: mean and sample standard deviation over the seeds.

    Args:
        results: One row per run, with the column ``config`` and its metrics.
        metrics: Columns of the table.
    """
    groups = results.reindex(columns=["config", *metrics]).groupby("config", sort=False)
    mean, deviation = groups.mean(), groups.std()
    lines = [f"| config | {' | '.join(metrics)} |", "|---" * (len(metrics) + 1) + "|"]
    for config in mean.index:
        pairs = zip(mean.loc[config], deviation.loc[config])
        cells = " | ".join(format_spread(*pair) for pair in pairs)
        lines.append(f"| `{Path(config).name}` | {cells} |")
    return "\n".join(lines)


def format_spread(mean: float, deviation: float) -> str:
    """Mean ± deviation; NaN is a value that does not exist."""
    if pd.isna(mean):
        return "-"
    return f"{mean:.2f}" + ("" if pd.isna(deviation) else f" ± {deviation:.2f}")


def main(args: argparse.Namespace) -> None:
    """Run all that is missing, then print the table."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the tool that runs
    # Seeds first: an interrupted comparison then has as many of each config.
    runs = [Run(config, seed, args) for seed in args.seeds for config in args.configs]
    results = [
        dict(config=run.config, **run.metrics())
        for run in track(runs, description="runs")
    ]
    print(markdown_table(pd.DataFrame(results), args.metrics))


if __name__ == "__main__":
    main(ARGS)
