"""Runs the command-line tools as a user does."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def command(tool: str, *arguments: object) -> list[str]:
    """The command line of ``tools/TOOL``."""
    runner = "bash" if tool.endswith(".sh") else sys.executable
    return [runner, str(REPOSITORY / "tools" / tool), *map(str, arguments)]


def environment() -> dict[str, str]:
    """No GPU, a free port, the interpreter's own scripts (torchrun) found first."""
    scripts = str(Path(sys.executable).parent)
    path = scripts + os.pathsep + os.environ["PATH"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    return {**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "PATH": path, "PORT": port}


def run_tool(tool: str, *arguments: object, cwd: Path) -> str:
    """Run a tool to its end and return what it printed; fails with that output."""
    done = subprocess.run(
        command(tool, *arguments),
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def scalars(work_dir: Path) -> list[dict]:
    """What the newest run logged, one dict a line."""
    logs = sorted(work_dir.glob("*/vis_data/scalars.json"))
    return [json.loads(line) for line in logs[-1].read_text().splitlines()]


def options(*fields: str) -> Sequence[str]:
    """The argument ``--cfg-options``."""
    return ("--cfg-options", *fields)
