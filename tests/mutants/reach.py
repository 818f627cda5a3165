"""What a test costs and which lines it reaches, and which tests a mutant meets."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import coverage
import pytest

from tests.mutants.changes import Mutant

_FIXTURE = "fixture "


class Reach(NamedTuple):
    """Of each test its seconds, with the fixtures it needs; of each line its tests."""

    seconds: dict[str, float]
    tests: dict[tuple[str, int], set[str]]
    root: str
    """What the tests' names are relative to."""
    positional: list[str]
    """Those of pytest's arguments that say where tests are."""

    def tests_of_file(self, file: Path) -> set[str]:
        """Those that run any function of it."""
        return {
            test
            for (path, _), tests in self.tests.items()
            if path == str(file)
            for test in tests
        }

    def tests_of(self, mutant: Mutant) -> set[str]:
        """Those that run its statement."""
        lines = ((str(mutant.file), line) for line in mutant.lines)
        return set().union(*(self.tests.get(line, ()) for line in lines))

    def choose(self, tests: set[str], budget: float) -> list[str]:
        """The quickest, as many as the seconds allow, at least one."""
        chosen, spent = [], 0.0
        for test in sorted(tests, key=self.seconds.__getitem__):
            spent += self.seconds[test]
            if chosen and spent > budget:
                break
            chosen.append(test)
        return chosen


class Recorder:
    """A plugin of pytest that notes the reach of each test.

    Attributes:
        imported: Lines of each file that ran while the tests were collected.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        # sys.monitoring, the default from Python 3.14 on, notes a line only once.
        os.environ["COVERAGE_CORE"] = "ctrace"
        self.coverage = coverage.Coverage(
            data_file=None, include=[str(file) for file in files], config_file=False
        )
        self.files = [str(file) for file in files]
        self.imported: dict[str, set[int]] = {}
        self._own: dict[str, float] = {}
        self._fixtures: dict[str, float] = defaultdict(float)
        self._needs: dict[str, list[str]] = {}
        self._in_fixture = False

    def stop_importing(self) -> None:
        """Collection is over."""
        self.coverage.stop()
        data = self.coverage.get_data()
        self.imported = {file: set(data.lines(file) or ()) for file in self.files}
        self.coverage.erase()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Note the lines of a test, and its seconds without fixtures of many tests."""
        self.coverage.switch_context(item.nodeid)
        began, before = time.monotonic(), sum(self._fixtures.values())
        yield
        shared = sum(self._fixtures.values()) - before
        self._own[item.nodeid] = time.monotonic() - began - shared
        self._needs[item.nodeid] = list(getattr(item, "fixturenames", ()))
        self.coverage.switch_context("")

    @pytest.hookimpl(hookwrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef, request: pytest.FixtureRequest
    ) -> Iterator[None]:
        """Note a fixture's, if tests share it; those within it count as its own."""
        if fixturedef.scope == "function" or self._in_fixture:
            yield
            return
        self._in_fixture = True
        self.coverage.switch_context(_FIXTURE + fixturedef.argname)
        began = time.monotonic()
        yield
        self._fixtures[fixturedef.argname] += time.monotonic() - began
        self._in_fixture = False
        self.coverage.switch_context(request._pyfuncitem.nodeid)

    def reach(self, config: pytest.Config) -> Reach:
        """What was noted."""
        users: dict[str, set[str]] = defaultdict(set)
        for test, names in self._needs.items():
            for name in names:
                users[_FIXTURE + name].add(test)
        tests: dict[tuple[str, int], set[str]] = defaultdict(set)
        data = self.coverage.get_data()
        for file in data.measured_files():
            for line, contexts in data.contexts_by_lineno(file).items():
                for context in contexts:
                    one = {context} if context in self._own else set()
                    tests[file, line] |= users.get(context, one)
        seconds = {
            test: own + sum(self._fixtures.get(name, 0) for name in self._needs[test])
            for test, own in self._own.items()
        }
        return Reach(seconds, dict(tests), str(config.rootpath), list(config.args))
