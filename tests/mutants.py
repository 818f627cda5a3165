"""Puts small faults into a package, one at a time, and asks whether its tests notice.

python -m tests.mutants mmpar/models/heads --sample 48 -- tests/test_models

Each mutant meets ``pytest -x -q -m "not slow"`` with the arguments after ``--``, in a
process of its own that is forked with the slow imports done. Files are left alone:
the process reads the mutant in place of its file. A process that a test starts reads
the file.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import functools
import importlib
import os
import random
import resource
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any, NamedTuple

# None of mmpar, which each process imports with its mutant.
SLOW_IMPORTS = (
    *("h5py", "matplotlib.figure", "mmengine.runner", "mmpretrain.models", "pandas"),
    *("pytest", "scipy.io", "torchvision"),
)
SURVIVED, KILLED, TIMEOUT = "SURVIVED", "killed", "ran out of time"
_PATIENCE = 6
"""Seconds to wait for one of computing, as others compute, too."""
_SWAPS: dict[type, type] = {
    **{ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt},
    **{ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is},
    **{ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And},
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult},
    **{ast.FloorDiv: ast.Div, ast.Mod: ast.Mult, ast.Pow: ast.Mult},
    **{ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd},
}

Change = tuple[str, Any, Callable[[], object]]
"""What it does, where, and the deed, which edits a syntax tree."""


class Mutant(NamedTuple):
    """A change of one place of a file."""

    file: Path
    line: int
    what: str
    node: int
    """Its number among those of the tree."""
    change: int
    """Its number among those of the node."""

    def code(self) -> ast.Module:
        """The file's tree with the change."""
        tree = ast.parse(self.file.read_text())
        *_, deed = list(_changes(_nodes(tree)[self.node]))[self.change]
        deed()
        return ast.fix_missing_locations(tree)


def mutants_of(file: Path) -> Iterator[Mutant]:
    """All changes of a file; not of annotations, of ``__all__`` or of errors raised."""
    tree = ast.parse(file.read_text())
    skipped = {id(node) for part in _not_tested(tree) for node in ast.walk(part)}
    for number, node in enumerate(_nodes(tree)):
        if id(node) not in skipped:
            for change, (what, place, _) in enumerate(_changes(node)):
                yield Mutant(file, place.lineno, what, number, change)


def _nodes(tree: ast.AST) -> list[ast.AST]:
    return list(ast.walk(tree))


def _not_tested(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        parts: list[ast.AST | None] = []
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            parts = [node.returns]
        elif isinstance(node, (ast.arg, ast.AnnAssign)):
            parts = [node.annotation]
        elif isinstance(node, ast.Raise):
            parts = [node.exc, node.cause]
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets) == "__all__":
            parts = [node.value]
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            parts = [node]
        yield from filter(None, parts)


def _changes(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Compare):
        for i, operator in enumerate(node.ops):
            put = functools.partial(node.ops.__setitem__, i)
            yield from _swap(operator, node, put)
    elif isinstance(node, (ast.BinOp, ast.BoolOp, ast.AugAssign)):
        yield from _swap(node.op, node, lambda new: setattr(node, "op", new))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "minus dropped", node, lambda: setattr(node, "op", ast.UAdd())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        deed = functools.partial(setattr, node, "operand", _negated(node.operand))
        yield "not dropped", node, deed
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        new = not node.value
        yield f"becomes {new}", node, lambda: setattr(node, "value", new)
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        new = node.value + 1
        yield f"becomes {new}", node, lambda: setattr(node, "value", new)
    elif isinstance(node, (ast.If, ast.IfExp, ast.While)):
        deed = functools.partial(setattr, node, "test", _negated(node.test))
        yield "condition negated", node, deed
    elif isinstance(node, ast.comprehension) and node.ifs:
        yield "filter dropped", node.target, node.ifs.clear
    elif isinstance(node, ast.Return) and node.value is not None:
        nothing = ast.Constant(None)
        yield "None returned", node, lambda: setattr(node, "value", nothing)
    elif isinstance(node, ast.Call):
        for i, keyword in enumerate(node.keywords):
            if keyword.arg:
                deed = functools.partial(node.keywords.pop, i)
                yield f"{keyword.arg}= dropped", keyword, deed
    for field in ("body", "orelse", "finalbody"):
        body = getattr(node, field, None)
        for i, statement in enumerate(body if isinstance(body, list) else []):
            if _can_be_dropped(statement):
                deed = functools.partial(body.__setitem__, i, ast.Pass())
                yield "dropped", statement, deed


def _swap(
    operator: ast.AST, place: ast.AST, put: Callable[[ast.AST], object]
) -> Iterator[Change]:
    new = _SWAPS.get(type(operator))
    if new is not None:
        what = f"{type(operator).__name__} becomes {new.__name__}"
        yield what, place, lambda: put(new())


def _negated(test: ast.expr) -> ast.UnaryOp:
    return ast.UnaryOp(ast.Not(), test)


def _can_be_dropped(statement: ast.stmt) -> bool:
    """A raise, a call, an assignment that others see."""
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Call)
    if isinstance(statement, ast.Assign):
        return isinstance(statement.targets[0], (ast.Subscript, ast.Attribute))
    return isinstance(statement, (ast.Raise, ast.AugAssign))


def run_tests(
    arguments: Sequence[str], seconds: float, mutant: Mutant | None = None
) -> tuple[str, str]:
    """Whether tests notice a mutant, if there is one.

    Returns:
        SURVIVED, KILLED, or TIMEOUT after so many seconds of computing; and what pytest
        printed.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        log.touch()
        pid = os.fork()
        if pid == 0:
            try:
                _become_tests(
                    [*arguments, "--basetemp", f"{folder}/tests"], mutant, seconds, log
                )
            finally:
                os._exit(1)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)  # what its tests have started
        if status in (-signal.SIGPROF, -signal.SIGALRM):
            outcome = TIMEOUT
        else:
            outcome = KILLED if status else SURVIVED
        return outcome, log.read_text(errors="replace")


def _become_tests(
    arguments: Sequence[str], mutant: Mutant | None, seconds: float, log: Path
) -> None:
    os.setsid()
    with log.open("w") as output:
        for stream in (1, 2):
            os.dup2(output.fileno(), stream)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, seconds * _PATIENCE)
    if mutant is not None:
        _read_instead(mutant)
    import pytest

    words = ["-x", "-q", "-m", "not slow", "-p", "no:cacheprovider"]
    os._exit(pytest.main([*words, *arguments]))


def _read_instead(mutant: Mutant) -> None:
    """Have imports of this process find the mutant in place of its file."""
    code = compile(mutant.code(), str(mutant.file), "exec", dont_inherit=True)
    whole = SourceFileLoader.get_code

    def get_code(self: SourceFileLoader, name: str):
        found = Path(self.path).resolve()
        return code if found == mutant.file.resolve() else whole(self, name)

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign]


def main() -> None:
    """Print each mutant that is not killed; the exit status is 1 if there is one."""
    words = sys.argv[1:]
    end = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutants", epilog="Arguments of pytest follow after --."
    )
    parser.add_argument("path", type=Path, help="a file, or a folder's files")
    parser.add_argument(
        "--sample", type=int, help="how many mutants; all, if not given"
    )
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(words[:end])
    path = args.path.resolve()
    files = sorted(path.glob("*.py")) if path.is_dir() else [path]
    mutants = [mutant for file in files for mutant in mutants_of(file)]
    count = min(args.sample or len(mutants), len(mutants))
    chosen = random.Random(args.seed).sample(mutants, count)
    outcomes = meet_tests(chosen, words[end + 1 :])
    said = ", ".join(f"{outcomes[name]} {name}" for name in (KILLED, SURVIVED, TIMEOUT))
    print(f"{count} of {len(mutants)} mutants: {said}")
    raise SystemExit(0 if outcomes[KILLED] == count else 1)


def meet_tests(mutants: Sequence[Mutant], arguments: Sequence[str]) -> Counter[str]:
    """How many are killed, survive, or run out of time; prints all but the first.

    Raises:
        SystemExit: The tests fail without a mutant.
    """
    for name in SLOW_IMPORTS:
        importlib.import_module(name)
    outcome, output = run_tests(arguments, seconds=3600)
    if outcome != SURVIVED:
        raise SystemExit(f"{output}\nthe tests do not pass without a mutant")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = 3 * (used.ru_utime + used.ru_stime) + 1
    outcomes: Counter[str] = Counter()
    for mutant in mutants:
        outcome, _ = run_tests(arguments, seconds, mutant)
        outcomes[outcome] += 1
        if outcome != KILLED:
            line = mutant.file.read_text().splitlines()[mutant.line - 1].strip()
            place = f"{os.path.relpath(mutant.file)}:{mutant.line}"
            print(f"{outcome} {place} {mutant.what}: {line}", flush=True)
    return outcomes


if __name__ == "__main__":
    main()
