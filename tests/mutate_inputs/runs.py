"""Reads many mutants in forked processes with limits, and keeps those that fail."""

from __future__ import annotations

import faulthandler
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from mmap import mmap
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from mmpar.structures import SchemaMismatchError
from mmpar.utils.checkpoint_files import (
    UnreadableCheckpointError,
    UnsafeCheckpointError,
)
from mmpar.utils.config_data import ConfigCodeError
from mmpar.utils.model_file import UnreadableModelError
from mmpar.utils.pickled_arrays import RefusedPickleError
from tests.mutate_inputs.mutations import Mutation

SECONDS = 10
"""Of computing; of waiting, ``_PATIENCE`` times as many, as others compute, too."""
_PATIENCE = 6
MEGABYTES = 1000
NAME = "mutant"
"""Every mutated file is called so, but for its ending: errors are searched for it."""

OUTCOMES = ("not run", "running", "read", "refused", "other error", "without the name")
OUTCOMES += ("memory", "hang", "signal", "command")
NOT_RUN, RUNNING, READ, REFUSED, OTHER, NAMELESS, MEMORY, HANG, SIGNAL, COMMAND = range(
    len(OUTCOMES)
)
FAILURES = OUTCOMES[OTHER:]
_DOCUMENTED = (ValueError, FileNotFoundError, RefusedPickleError)
_DOCUMENTED += (UnreadableCheckpointError, UnsafeCheckpointError)
_DOCUMENTED += (UnreadableModelError, ConfigCodeError, SchemaMismatchError)
"""Errors that readers promise; further kinds of ``ValueError`` are the parsers' own."""
_TEMPORARY = os.path.join(os.path.realpath(tempfile.gettempdir()), "")
_DEED = 300
"""Bytes of the note of what a mutant had done."""
_ERRORS = os.dup(2)
"""Where a process complains; what it reads may write to the other."""
_FORBIDDEN = {
    *("os.system", "os.exec", "os.posix_spawn", "os.spawn", "pty.spawn"),
    *("subprocess.Popen", "socket.connect", "socket.getaddrinfo", "socket.bind"),
    *("urllib.Request", "ctypes.dlopen"),
}
"""Audit events of what no file may have done."""
_CHANGES = {"os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.symlink", "os.link"}
"""Audit events whose first argument is a path that is changed."""


class Seed(NamedTuple):
    """A whole file, how it is mutated, and what else lies beside it."""

    name: str
    """Of the file to mutate, below the folder."""
    content: bytes
    mutate: Mutation
    read: Callable[[Path], object]
    """Reads the file at this path."""
    beside: Mapping[str, bytes] = MappingProxyType({})
    """Further files of its folder, by name."""


@dataclass
class Result:
    """What became of the mutants of a reader."""

    reader: str
    counts: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    """Seconds."""
    peak: int = 0
    """Growth of a process's memory, in MB; mutants share processes."""
    seconds: float = 0.0
    kept: list[str] = field(default_factory=list)
    """A line for each failure that was kept."""

    @property
    def failed(self) -> int:
        """How many mutants did what no file may do."""
        return sum(self.counts[outcome] for outcome in FAILURES)

    def row(self) -> str:
        """A row of the table."""
        failures = " ".join(f"{self.counts[name]:>8}" for name in FAILURES)
        return (
            f"{self.reader:<16} {sum(self.counts.values()):>7} {self.counts['read']:>7}"
            f" {self.counts['refused']:>7} {failures} {self.slowest:>7.2f} s"
            f" {self.peak:>5} MB {self.seconds:>6.0f} s"
        )

    @staticmethod
    def header() -> str:
        """The row above."""
        short = ("other", "nameless", "memory", "hang", "signal", "command")
        failures = " ".join(f"{name:>8}" for name in short)
        return (
            f"{'reader':<16} {'mutants':>7} {'read':>7} {'refused':>7} {failures}"
            f" {'slowest':>9} {'peak':>8} {'took':>8}"
        )


class _Board:
    """What the processes have written about their mutants, in shared memory."""

    def __init__(self, count: int) -> None:
        self.outcomes = np.frombuffer(mmap(-1, max(count, 1)), np.uint8)[:count]
        self.seconds = np.frombuffer(mmap(-1, max(count, 1) * 8), np.float64)[:count]
        self.peaks = np.frombuffer(mmap(-1, max(count, 1) * 8), np.int64)[:count]


def run(
    reader: str,
    seeds: Sequence[Seed],
    count: int,
    seed: int,
    jobs: int,
    keep: Path | None = None,
) -> Result:
    """Feed ``count`` mutants of the seeds, in turn, to their readers.

    Args:
        reader: What the result is called.
        seeds: Files that must be read whole as they are.
        count: Number of mutants.
        seed: The changes of mutant ``i`` depend on it, ``reader`` and ``i`` only. (The
            whole files of torch before 1.6 hold addresses, which differ by run.)
        jobs: Processes at a time.
        keep: Folder for the mutants that fail, with what happened to each.
    """
    begun = time.time()
    board = _Board(count)
    with tempfile.TemporaryDirectory() as folder:
        for i, one in enumerate(seeds):  # imports too: not the mutants' time and memory
            _place(one, one.content, Path(folder) / "whole" / str(i))
        bounds = np.linspace(0, count, jobs + 1).astype(int)
        running = {}
        for i, (start, stop) in enumerate(zip(bounds, bounds[1:])):
            job = _Job(reader, seeds, seed, Path(folder) / str(i), board, keep)
            running[_start(job, int(start), int(stop))] = (job, int(start), int(stop))
        while running:
            pid, status = os.wait()
            if pid in running:
                job, start, stop = running.pop(pid)
                after = _after(job, status, start, stop)
                if after < stop:
                    running[_start(job, after, stop)] = (job, after, stop)
    result = Result(reader, Counter(dict.fromkeys(FAILURES, 0)))
    result.counts.update(OUTCOMES[code] for code in board.outcomes.tolist())
    result.slowest = float(board.seconds.max(initial=0))
    result.peak = int(board.peaks.max(initial=0))
    result.seconds = time.time() - begun
    for number in np.flatnonzero(board.outcomes >= OTHER) if keep else ():
        text = _kept(keep, reader, int(number)).with_suffix(".what").read_text()
        result.kept.append(text.rstrip().rsplit("\n", 1)[-1])
    return result


@dataclass
class _Job:
    reader: str
    seeds: Sequence[Seed]
    seed: int
    folder: Path
    board: _Board
    keep: Path | None
    deed: mmap = field(default_factory=lambda: mmap(-1, _DEED))
    """What a mutant had done that no file may, by this process or a fork of it."""

    def mutant(self, number: int) -> tuple[Seed, bytes]:
        """The seed and the mutated content."""
        chance = random.Random(f"{self.reader} {self.seed} {number}")
        one = self.seeds[number % len(self.seeds)]
        return one, one.mutate(one.content, chance)

    def keep_mutant(self, number: int, outcome: int, what: str) -> None:
        """Write the mutant, and what it did, to the folder of failures."""
        self.board.outcomes[number] = outcome
        if self.keep is not None:
            self.keep.mkdir(parents=True, exist_ok=True)
            one, content = self.mutant(number)
            ending = one.name.replace("/", "_")
            called = _kept(self.keep, self.reader, number)
            called.with_name(f"{called.name}-{ending}").write_bytes(content)
            line = f"{self.reader} {number} ({ending}): {OUTCOMES[outcome]}: "
            body, _, last = what.rstrip().rpartition("\n")
            called.with_suffix(".what").write_text(f"{body}\n{line}{last}\n")


def _kept(keep: Path, reader: str, number: int) -> Path:
    return keep / f"{reader}-{number:06}"


def _start(job: _Job, start: int, stop: int) -> int:
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            _work(job, start, stop)
            status = 0
        except BaseException as error:
            os.write(_ERRORS, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(status)
    return pid


def _after(job: _Job, status: int, start: int, stop: int) -> int:
    """Which mutant a new process goes on with, when one has ended."""
    if status == 0:
        return stop
    outcomes = job.board.outcomes[start:stop]
    at = start + int((outcomes == RUNNING).argmax())
    if not (outcomes == RUNNING).any() or not os.WIFSIGNALED(status):
        raise RuntimeError(f"{job.reader}: a process ended with the status {status}")
    number = os.WTERMSIG(status)
    if number in (signal.SIGALRM, signal.SIGPROF):
        job.board.seconds[at] = SECONDS
        job.keep_mutant(at, HANG, f"not done after {SECONDS} s")
    else:
        job.keep_mutant(at, SIGNAL, signal.Signals(number).name)
    return at + 1


def _work(job: _Job, start: int, stop: int) -> None:
    """Read some mutants, in a process of its own."""
    _prepare_process(job.deed)
    before = _peak()
    for number in range(start, stop):
        job.board.outcomes[number] = RUNNING
        one, content = job.mutant(number)
        path = _written(one, content, job.folder / str(number % len(job.seeds)))
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        signal.setitimer(signal.ITIMER_REAL, SECONDS * _PATIENCE)
        begun = time.perf_counter()
        outcome, what = _read(one, path)
        job.board.seconds[number] = time.perf_counter() - begun
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        job.board.peaks[number] = (_peak() - before) // 1000
        if job.deed[0]:
            outcome, what = COMMAND, job.deed[:].rstrip(b"\0").decode()
            job.deed[:] = bytes(_DEED)
        job.board.outcomes[number] = outcome
        if outcome >= OTHER:
            job.keep_mutant(number, outcome, what)


def _prepare_process(deed: mmap) -> None:
    """Set its limits; ``deed`` gets what it does from now on that no file may."""
    output = os.open(os.devnull, os.O_WRONLY)
    os.dup2(output, 1)
    os.dup2(output, 2)
    warnings.simplefilter("ignore")
    faulthandler.disable()

    def note(event: str, args: tuple[Any, ...]) -> None:
        if event in _FORBIDDEN or _changes_elsewhere(event, args):
            text = f"{event} {args}".encode(errors="replace")[: _DEED - 1]
            deed[: len(text)] = text

    sys.addaudithook(note)
    for one in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(one, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + MEGABYTES * 10**6,) * 2)


def _changes_elsewhere(event: str, args: tuple[Any, ...]) -> bool:
    """Whether a file is written outside the folder of temporary files."""
    if event == "open":
        writes = isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)
        changed = isinstance(args[0], (str, bytes)) and bool(writes)
    else:
        changed = event in _CHANGES and os.path.isabs(args[0])
    if not changed:
        return False
    path = os.path.realpath(os.fsdecode(args[0]))
    if path == os.devnull or "__pycache__" in path:  # of what is imported late
        return False
    return not path.startswith(_TEMPORARY)


def _read(one: Seed, path: Path) -> tuple[int, str]:
    """The outcome, and the traceback of an error."""
    try:
        one.read(path)
    except Exception as error:
        lines = traceback.format_exception(type(error), error, error.__traceback__)
        return _outcome(error), "".join(lines)
    return READ, ""


def _place(one: Seed, content: bytes, folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one.read(_written(one, content, folder))


def _written(one: Seed, content: bytes, folder: Path) -> Path:
    path = folder / one.name
    if not path.parent.exists():
        path.parent.mkdir(parents=True)
        for name, beside in one.beside.items():
            (path.parent / name).write_bytes(beside)
    path.write_bytes(content)
    return path


def _outcome(error: Exception) -> int:
    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, MemoryError) or "Insufficient memory" in str(chain):
            return MEMORY
        hidden = chain.__suppress_context__  # "from None": the context is no cause
        chain = chain.__cause__ or (None if hidden else chain.__context__)
    if type(error) not in _DOCUMENTED:
        return OTHER
    return REFUSED if NAME in str(error) else NAMELESS


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def _peak() -> int:
    """Kilobytes that this process or one that it has waited for had at most."""
    both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(who).ru_maxrss for who in both)
