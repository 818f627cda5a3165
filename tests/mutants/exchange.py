"""Exchanges code that runs for a mutant's."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Callable, Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType

from tests.mutants.changes import Mutant

Functions = dict[tuple[str, str, int], list[FunctionType]]
"""By file, name and first line: those that a module has now, also behind decorators."""


def functions_now() -> Functions:
    """All functions of this process."""
    found: Functions = defaultdict(list)
    for thing in gc.get_objects():
        if type(thing) is FunctionType:
            found[_key(thing.__code__)].append(thing)
    return dict(found)


def _key(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_name, code.co_firstlineno


def exchanger(mutant: Mutant, functions: Functions) -> Callable[[], None] | None:
    """What gives the mutant's function its code; None where that cannot be done."""
    if mutant.function is None:
        return None
    key = (str(mutant.file), *mutant.function)
    codes = [
        code
        for code in _codes(compiled(mutant))
        if (code.co_name, code.co_firstlineno) == mutant.function
    ]
    owners = functions.get(key, [])
    if len(codes) != 1 or not owners:
        return None
    (code,) = codes
    if any(_key(inner) in functions for o in owners for inner in _codes(o.__code__)):
        return None  # made at import, as what a decorator returns
    if any(owner.__code__.co_freevars != code.co_freevars for owner in owners):
        return None

    def exchange() -> None:
        for owner in owners:
            owner.__code__ = code

    return exchange


def compiled(mutant: Mutant) -> CodeType:
    """The module with the mutant."""
    return compile(mutant.code(), str(mutant.file), "exec", dont_inherit=True)


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def read_instead(mutant: Mutant) -> None:
    """Have imports of this process find the mutant in place of its file."""
    code = compiled(mutant)
    whole = SourceFileLoader.get_code

    def get_code(self: SourceFileLoader, name: str):
        found = Path(self.path).resolve()
        return code if found == mutant.file.resolve() else whole(self, name)

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign]
