"""The command ``mmpar``: each subcommand runs a script of ``tools/`` as it stands."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from mmpar.utils.shipped import shipped_root
from mmpar.version import __version__

COMMANDS = {
    "predict": ("predict.py", "predict the attributes of persons in images"),
    "train": ("train.py", "train a model"),
    "test": ("test.py", "test a model on a labelled split"),
    "export": ("deploy/export.py", "export a model to ONNX or OpenVINO"),
    "publish": ("model_converters/publish_model.py", "make a model one file"),
    "convert": (
        "model_converters/official_to_mmpar.py",
        "convert a checkpoint of an official code",
    ),
    "explain": ("explain.py", "show where a model sees attributes"),
    "calibrate": (
        "analysis_tools/calibrate.py",
        "calibrate a model's scores, and teach it to say 'not sure'",
    ),
    "doctor": ("analysis_tools/check_dataset.py", "examine a dataset"),
    "models": ("list_models.py", "list the models that mmpar has configs of"),
}
"""Name to its script below ``tools/``, and what it does."""

WITH_TRACEBACK = ("train", "test")
"""Commands that run code of the user's, whose errors need their place."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the subcommand that the command line names."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(
        "mmpar",
        description="Pedestrian attribute recognition.",
        epilog="'mmpar COMMAND --help' shows the arguments of a command.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(metavar="COMMAND", dest="command", required=True)
    for name, (_, purpose) in COMMANDS.items():
        commands.add_parser(name, help=purpose, add_help=False)
    command = parser.parse_args(arguments[:1]).command
    sys.argv = [f"mmpar {command}", *arguments[1:]]
    try:
        _run_script(shipped_root() / "tools" / COMMANDS[command][0])
    except (OSError, ValueError) as error:
        if command in WITH_TRACEBACK:
            raise
        sys.exit(f"mmpar {command}: error: {error}")


def _run_script(path: Path) -> None:
    """Run it in this process as ``__main__``, where its own processes look for it."""
    script = ModuleType("__main__")
    script.__file__ = str(path)
    sys.modules["__main__"] = script
    exec(compile(path.read_bytes(), path, "exec"), script.__dict__)
