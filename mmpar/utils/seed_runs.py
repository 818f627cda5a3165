"""Configs with several seeds, each trained, tested and explained once; their table."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from rich.progress import track

from mmpar.utils.atomic import write_atomically
from mmpar.utils.cli import config_arguments
from mmpar.utils.config import hash_config, read_config

if TYPE_CHECKING:
    from mmengine.config import Config


def compare_seeds(args: argparse.Namespace, tools: Path) -> str:
    """Run all that is missing, each step in a process of its own.

    Args:
        args: Those of run_seeds.py: ``configs``, ``seeds``, ``explainers``,
            ``metrics``, ``work_dir``, ``cfg_options`` and ``localize_options``.
        tools: See :class:`RunFolder`.

    Returns:
        A Markdown table, see :func:`markdown_table`.

    Raises:
        RuntimeError: A step failed, or the work dir holds something else.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the tool that runs
    # Seeds first: an interrupted comparison then has as many of each config.
    pairs = [(config, seed) for seed in args.seeds for config in args.configs]
    results = []
    for config, seed in track(pairs, description="runs"):
        run = Run(config, seed, tools, args)
        results.append(dict(config=config, protocol=run.protocol, **run.metrics()))
    return markdown_table(pd.DataFrame(results), args.metrics)


class RunFolder:
    """A folder in which each step leaves its result with the settings that gave it.

    So no step runs twice and none is taken for another's.

    Args:
        folder: Made when it is claimed.
        tools: Folder of train.py, test.py and analysis_tools/.
    """

    def __init__(self, folder: Path, tools: Path) -> None:
        self.folder = folder
        self.tools = tools

    def file(self, step: str) -> Path:
        """Where a step's result is."""
        return self.folder / f"{step}_metrics.json"

    def claim(self, settings: dict) -> None:
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

    def once(self, step: str, settings: dict, compute: Callable[[], dict]) -> dict:
        """The metrics in the step's file, computed first if there is none."""
        file = self.file(step)
        if not file.exists():
            write_json(file, dict(settings=settings, metrics=compute()))
        return read_result(file, settings, remove=file)["metrics"]

    def run_tool(self, step: str, tool: str, *words: object) -> None:
        """Run a tool to its end.

        Raises:
            RuntimeError: It failed; names its log.
        """
        log = self.folder / f"{step}.log"
        command = [sys.executable, self.tools / tool, *words]
        with log.open("w") as output:
            done = subprocess.run(
                list(map(str, command)), stdout=output, stderr=subprocess.STDOUT
            )
        if done.returncode != 0:
            raise RuntimeError(f"{tool} failed, its last lines are in {log}")


class Run(RunFolder):
    """One config and seed: trained, tested and explained in a folder of its own.

    Args:
        config: Config file.
        seed: Added to the config options.
        tools: See :class:`RunFolder`.
        args: Those of run_seeds.py.
    """

    def __init__(
        self, config: str, seed: int, tools: Path, args: argparse.Namespace
    ) -> None:
        super().__init__(Path(args.work_dir) / f"{Path(config).stem}_seed{seed}", tools)
        self.config = config
        self.options = [f"randomness.seed={seed}", *args.cfg_options]
        self.localize_options = [*self.options, *args.localize_options]
        self.columns = {name.split("/")[0] for name in args.metrics}
        self.explainers = args.explainers
        self.protocol = _read_config(config, self.options).get("protocol") or "unknown"

    def metrics(self) -> dict[str, float]:
        """Those of the test and of the explainers, computed unless they are there."""
        settings = describe_settings(self.config, self.options)
        self.claim(settings)
        found = self.once("test", settings, self._train_and_test)
        settings = describe_settings(self.config, self.localize_options)
        earlier = {n for n in self.columns if self.file(n).exists()}
        for name in dict.fromkeys([*self.explainers, *sorted(earlier)]):
            found |= self.once(name, settings, partial(self._localize, name))
        return found

    def _train_and_test(self) -> dict:
        work_dir = ("--work-dir", self.folder)
        options = ("--cfg-options", *self.options)
        self.run_tool("train", "train.py", self.config, *work_dir, "--resume", *options)
        words = (self.config, self.folder, *work_dir, *options)
        self.run_tool("test", "test.py", *words)
        return read_newest_metrics(self.folder / "test")

    def _localize(self, name: str) -> dict:
        out = self.folder / name
        words = (self.folder, "--explainer", name, "--work-dir", out)
        options = ("--cfg-options", *self.localize_options)
        tool = "analysis_tools/eval_localization.py"
        self.run_tool(name, tool, self.config, *words, *options)
        metrics = read_newest_metrics(out / "eval_localization")
        return {f"{name}/{key.split('/')[-1]}": n for key, n in metrics.items()}


def describe_settings(config: str, options: Sequence[str]) -> dict:
    """What a figure depends on: the config as it is now, options included."""
    resolved = _read_config(config, options)
    return dict(
        config=str(config), cfg_options=list(options), hash=hash_config(resolved)
    )


def _read_config(config: str, options: Sequence[str]) -> Config:
    words = [config, "--cfg-options", *options]
    return read_config(config_arguments("").parse_args(words))


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
    """One row per config: protocol, mean and sample standard deviation over the seeds.

    Args:
        results: One row per run, with ``config``, ``protocol`` and its metrics.
        metrics: Columns of the table.
    """
    named = ["config", "protocol"]
    groups = results.reindex(columns=[*named, *metrics]).groupby(named, sort=False)
    mean, deviation = groups.mean(), groups.std()
    head = ["config", "protocol", *metrics]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for config, protocol in mean.index:
        pairs = zip(mean.loc[config, protocol], deviation.loc[config, protocol])
        cells = " | ".join(format_spread(*pair) for pair in pairs)
        lines.append(f"| `{Path(config).name}` | {protocol} | {cells} |")
    return "\n".join(lines)


def format_spread(mean: float, deviation: float) -> str:
    """Mean ± deviation; NaN is a value that does not exist."""
    if pd.isna(mean):
        return "-"
    return f"{mean:.2f}" + ("" if pd.isna(deviation) else f" ± {deviation:.2f}")
