"""Mutants meet tests, each in a process of its own."""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import pickle
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import _pytest.main
import pytest

from tests.mutants.changes import Mutant
from tests.mutants.exchange import Functions, exchanger, functions_now, read_instead
from tests.mutants.reach import Reach, Recorder

SURVIVED, KILLED, TIMEOUT = "SURVIVED", "killed", "ran out of time"
PYTEST = ("-x", "-q", "-m", "not slow", "-p", "no:cacheprovider", "-p", "no:xdist")
_PATIENCE = 6
"""Seconds to wait for one of computing, as others compute, too."""
_A_DAY = 24 * 3600


class Outcome(NamedTuple):
    """What became of a mutant, and how many of the tests that reach it, it met."""

    name: str
    met: int
    reaching: int


class Task(NamedTuple):
    """What a process does with a mutant."""

    number: int
    met: int
    """Tests that the mutant meets."""
    reaching: int
    """Tests that reach it."""
    seconds: float
    """Of computing, after which it is taken for endless."""
    deed: Callable[[], int]
    """Returns 0 if the mutant survives."""


def first_round(
    mutants: Sequence[Mutant], arguments: Sequence[str], budget: float, jobs: int
) -> Iterator[Any]:
    """Collect and run the tests, and meet the mutants of functions.

    Yields:
        The :class:`Reach` of the tests, then number and :class:`Outcome` of each mutant
        that need not be imported, as they come.

    Raises:
        SystemExit: The tests fail without a mutant.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        reader, writer = os.pipe()
        with os.fdopen(writer, "wb") as answers:

            def collect() -> int:
                os.close(reader)
                os.environ["PYTEST_DEBUG_TEMPROOT"] = folder  # emptied at the end
                campaign = _Campaign(mutants, budget, jobs, log, answers)
                return pytest.main([*PYTEST, *arguments], plugins=[campaign])

            pid = _fork(collect, _A_DAY, log)
        told = False
        with os.fdopen(reader, "rb") as answers, contextlib.suppress(EOFError):
            while True:
                yield pickle.load(answers)  # of our own process
                told = True
        _, status = os.waitpid(pid, 0)
        said = log.read_text(errors="replace")
        if not told:
            raise SystemExit(f"{said}\nthe tests do not pass without a mutant")
        if status:
            raise SystemExit(f"{said}\nthe campaign ended early (status {status})")


def second_round(
    mutants: Mapping[int, Mutant],
    reach: Reach,
    arguments: Sequence[str],
    budget: float,
    jobs: int,
) -> Iterator[tuple[int, Outcome]]:
    """Meet mutants that must be imported; yields number and outcome as they come."""
    options = [word for word in arguments if word not in reach.positional]
    tasks = []
    for number, mutant in mutants.items():
        tests = reach.tests_of(mutant) or reach.tests_of_file(mutant.file)
        chosen = reach.choose(tests or {*reach.seconds}, budget)
        deed = functools.partial(_import, mutant, options, chosen, reach)
        limit = _limit(chosen, reach) + 30  # it imports mmpar anew
        tasks.append(Task(number, len(chosen), len(tests), limit, deed))
    yield from _met(tasks, jobs)


def _import(
    mutant: Mutant, options: Sequence[str], chosen: Sequence[str], reach: Reach
) -> int:
    read_instead(mutant)
    files = {test.split("::")[0] for test in chosen}
    paths = [os.path.join(reach.root, file) for file in sorted(files)]
    with tempfile.TemporaryDirectory() as folder:
        words = [*PYTEST, *options, *paths, "--basetemp", f"{folder}/tests"]
        status = pytest.main(words, plugins=[_Only(chosen, reach)])
    return 0 if status == pytest.ExitCode.NO_TESTS_COLLECTED else int(status)


class _Only:
    """A plugin of pytest that leaves the chosen tests, whatever a mutant calls them."""

    def __init__(self, chosen: Sequence[str], reach: Reach) -> None:
        self.chosen = {*chosen}
        self.functions = {test.split("[")[0] for test in chosen}
        self.known = reach.seconds

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Of parameters that were not there without the mutant, too."""
        items[:] = [item for item in items if self._is_chosen(item.nodeid)]

    def _is_chosen(self, test: str) -> bool:
        is_new = test not in self.known and test.split("[")[0] in self.functions
        return test in self.chosen or is_new


class _Campaign:
    """A plugin of pytest: in place of the tests, mutants meet them."""

    def __init__(
        self,
        mutants: Sequence[Mutant],
        budget: float,
        jobs: int,
        log: Path,
        answers: BinaryIO,
    ) -> None:
        self.mutants = mutants
        self.budget = budget
        self.jobs = jobs
        self.log = log
        self.answers = answers
        self.recorder = Recorder(sorted({mutant.file for mutant in mutants}))
        self.recorder.coverage.start()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """All in forked processes: this one stays as the collection left it."""
        self.recorder.stop_importing()
        functions = functions_now()
        gc.collect()
        gc.freeze()  # a child would copy what its collector looks at
        reach = self._reach(session)
        if reach is not None:
            self._tell(reach)
            for answer in _met(self._tasks(session, reach, functions), self.jobs):
                self._tell(answer)
        return True

    def _tell(self, answer: object) -> None:
        pickle.dump(answer, self.answers)
        self.answers.flush()

    def _reach(self, session: pytest.Session) -> Reach | None:
        """What the tests reach; None where they fail."""
        with tempfile.TemporaryDirectory() as folder:
            noted = Path(folder, "reach")

            def run() -> int:
                session.config.pluginmanager.register(self.recorder)
                self.recorder.coverage.start()
                status = _loop(session)
                self.recorder.coverage.stop()
                if status:
                    terminal = session.config.pluginmanager.get_plugin(
                        "terminalreporter"
                    )
                    terminal.summary_errors()
                    terminal.summary_failures()
                else:
                    reach = self.recorder.reach(session.config)
                    noted.write_bytes(pickle.dumps(reach))
                return status

            os.waitpid(_fork(run, _A_DAY, self.log), 0)
            return pickle.loads(noted.read_bytes()) if noted.exists() else None

    def _tasks(
        self, session: pytest.Session, reach: Reach, functions: Functions
    ) -> Iterable[Task]:
        items = {item.nodeid: item for item in session.items}
        for number, mutant in enumerate(self.mutants):
            imported = self.recorder.imported[str(mutant.file)]
            if not imported.isdisjoint(mutant.lines):
                continue
            exchange = exchanger(mutant, functions)
            if exchange is None:
                continue
            tests = reach.tests_of(mutant)
            chosen = reach.choose(tests, self.budget)
            wanted = {*chosen}

            def run(exchange=exchange, wanted=wanted) -> int:
                exchange()
                # In the order of the collection, which shares fixtures.
                session.items = [items[name] for name in items if name in wanted]
                return _loop(session)

            yield Task(number, len(chosen), len(tests), _limit(chosen, reach), run)


def _loop(session: pytest.Session) -> int:
    """Run a session's tests until one fails; 0 where none does."""
    with contextlib.suppress(session.Failed, session.Interrupted):
        _pytest.main.pytest_runtestloop(session)
    session._setupstate.teardown_exact(None)
    return int(session.testsfailed > 0)


def _limit(tests: Sequence[str], reach: Reach) -> float:
    return 3 * sum(reach.seconds[test] for test in tests) + 5


def _met(tasks: Iterable[Task], jobs: int) -> Iterator[tuple[int, Outcome]]:
    """What becomes of mutants, so many at a time."""
    running: dict[int, Task] = {}
    for task in tasks:
        running[_fork(task.deed, task.seconds)] = task
        if len(running) >= jobs:
            yield _ended(running)
    while running:
        yield _ended(running)


def _fork(deed: Callable[[], int], seconds: float, log: Path | None = None) -> int:
    """A process that does it, within so many seconds of computing; its number."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        os.setsid()
        output = os.open(log or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(output, stream)
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.setitimer(signal.ITIMER_REAL, seconds * _PATIENCE)
        status = deed()
    finally:
        sys.stdout.flush()
        os._exit(status)


def _ended(running: dict[int, Task]) -> tuple[int, Outcome]:
    """The next that ends, which is taken out."""
    pid = 0
    while pid not in running:
        pid, status = os.wait()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)  # what its tests have started
    status = os.waitstatus_to_exitcode(status)
    name = KILLED if status else SURVIVED
    if status in (-signal.SIGPROF, -signal.SIGALRM):
        name = TIMEOUT
    task = running.pop(pid)
    return task.number, Outcome(name, task.met, task.reaching)
