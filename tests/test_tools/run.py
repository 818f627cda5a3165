"""Runs the command-line tools as a user does."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import json
import multiprocessing
import os
import runpy
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import IO, Any

REPOSITORY = Path(__file__).parents[2]
TIMEOUT = 400
"""Seconds after which a tool is stopped."""


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


def start_python(
    arguments: Sequence[object], output: IO, cwd: Path = REPOSITORY, **variables: str
) -> BaseProcess:
    """``python SCRIPT ARGUMENT ...`` in a process of its own, writing to a file.

    Also ``-m MODULE ARGUMENT ...``, and with environment variables of its own. It is
    forked from a server that has imported what takes eight seconds.
    """
    process = _server().Process(
        target=_run,
        args=(
            [str(word) for word in arguments],
            str(cwd),
            {**environment(), **variables},
            DupFd(output.fileno()),
        ),
    )
    process.start()
    return process


def call_together(
    number: int,
    arguments: Sequence[object],
    cwd: Path = REPOSITORY,
    **shared: str,
) -> list[str]:
    """Start processes as torchrun does; their outputs, each of one that succeeded."""
    outputs = []
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(number)]
        processes = start_together(arguments, files, cwd, **shared)
        for process, output in zip(processes, files):
            status = stop_at(process, TIMEOUT)
            output.seek(0)
            outputs.append(output.read().decode(errors="replace"))
            assert status == 0, outputs[-1]
    return outputs


def start_together(
    arguments: Sequence[object],
    outputs: Sequence[IO],
    cwd: Path = REPOSITORY,
    **shared: str,
) -> list[BaseProcess]:
    """Start processes as torchrun does, one for each file that they write to.

    They share further environment variables; ``LOCAL_WORLD_SIZE="4"`` gives one process
    the threads that each of four has.
    """
    group = dict(MASTER_ADDR="127.0.0.1", MASTER_PORT=environment()["PORT"])
    group["WORLD_SIZE"] = group["LOCAL_WORLD_SIZE"] = str(len(outputs))
    group |= shared
    return [
        start_python(
            arguments, output, cwd, **group, RANK=str(rank), LOCAL_RANK=str(rank)
        )
        for rank, output in enumerate(outputs)
    ]


def stop_at(process: BaseProcess, seconds: float) -> int:
    """Wait for a process, kill it when the time is over; its exit status."""
    process.join(seconds)
    if process.exitcode is None:
        process.kill()
        process.join()
    return process.exitcode


def run_command(
    command: Sequence[str], stdout: Any, **_: Any
) -> subprocess.CompletedProcess:
    """Stands for ``subprocess.run`` in a tool that starts Python: forks it."""
    assert command[0] == sys.executable
    with tempfile.TemporaryFile() as captured:
        output = captured if stdout is subprocess.PIPE else stdout
        process = start_python(command[1:], output, Path.cwd())
        status = stop_at(process, TIMEOUT)
        captured.seek(0)
        return subprocess.CompletedProcess(command, status, captured.read())


def call_tool(tool: str, *arguments: object, cwd: Path) -> tuple[int, str]:
    """Exit status and output of a tool that runs to its end.

    A Python tool is forked, see :func:`start_python`; a shell script starts its own
    interpreters, eight seconds each: use it for what it alone does.
    """
    if tool.endswith(".sh"):
        done = subprocess.run(
            command(tool, *arguments),
            cwd=cwd,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT,
        )
        return done.returncode, done.stdout
    with tempfile.TemporaryFile() as output:
        process = start_python(command(tool, *arguments)[1:], output, cwd)
        status = stop_at(process, TIMEOUT)
        output.seek(0)
        return status, output.read().decode(errors="replace")


def run_tool(tool: str, *arguments: object, cwd: Path) -> str:
    """Run a tool to its end and return its output; fails with that output."""
    status, output = call_tool(tool, *arguments, cwd=cwd)
    assert status == 0, output
    return output


@functools.cache
def _server() -> BaseContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.test_tools.imports"])
    return context


def _run(argv: list[str], cwd: str, env: dict[str, str], output: DupFd) -> None:
    """Become the tool: its arguments, folder, environment and output."""
    descriptor = output.detach()
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    multiprocessing.set_start_method(None, force=True)  # a tool's own processes fork
    if argv[0] == "-m":
        sys.argv = argv[1:]
        runpy.run_module(argv[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = argv
        sys.path.insert(0, str(Path(argv[0]).parent))
        runpy.run_path(argv[0], run_name="__main__")


def load_tool(tool: str) -> Any:
    """``tools/TOOL`` as a module, for its functions and for stand-ins in it."""
    path = REPOSITORY / "tools" / tool
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def scalars(work_dir: Path) -> list[dict]:
    """What the newest run logged, one dict a line."""
    logs = sorted(work_dir.glob("*/vis_data/scalars.json"))
    return [json.loads(line) for line in logs[-1].read_text().splitlines()]


def options(*fields: str) -> Sequence[str]:
    """The argument ``--cfg-options``."""
    return ("--cfg-options", *fields)
