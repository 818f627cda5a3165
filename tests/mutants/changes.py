"""The small faults that a file can have, each a change of its syntax tree."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

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
    lines: range
    """Those of the statement, without the statements in it."""
    function: tuple[str, int] | None
    """Name and first line of the outermost function whose body it is in."""

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
    where = dict(_places(tree, range(0), None))
    for number, node in enumerate(_nodes(tree)):
        if id(node) not in skipped:
            for change, (what, place, _) in enumerate(_changes(node)):
                yield Mutant(
                    file, place.lineno, what, number, change, *where[id(place)]
                )


def _places(
    node: ast.AST, lines: range, function: tuple[str, int] | None
) -> Iterator[tuple[int, tuple[range, tuple[str, int] | None]]]:
    """Each node's id, with the lines and the function of a mutant there."""
    if isinstance(node, ast.stmt):
        inner = [part for part in ast.iter_child_nodes(node) if _is_inner(part)]
        end = min((part.lineno - 1 for part in inner), default=node.end_lineno)
        lines = range(_first_line(node), max(node.lineno, end) + 1)
    yield id(node), (lines, function)
    for name, value in ast.iter_fields(node):
        within = function
        is_function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        if is_function and name == "body" and function is None:
            within = (node.name, _first_line(node))
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, ast.AST):
                yield from _places(part, lines, within)


def _is_inner(part: ast.AST) -> bool:
    return isinstance(part, (ast.stmt, ast.ExceptHandler))


def _first_line(node: ast.AST) -> int:
    """As code objects have it, with decorators."""
    decorators = getattr(node, "decorator_list", None) or [node]
    return min(decorator.lineno for decorator in decorators)


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
    elif isinstance(node, ast.Return) and not _is_none(node.value):
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


def _is_none(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value is None)


def _negated(test: ast.expr) -> ast.UnaryOp:
    return ast.UnaryOp(ast.Not(), test)


def _can_be_dropped(statement: ast.stmt) -> bool:
    """A raise, a call, an assignment that others see."""
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Call)
    if isinstance(statement, ast.Assign):
        return isinstance(statement.targets[0], (ast.Subscript, ast.Attribute))
    return isinstance(statement, (ast.Raise, ast.AugAssign))
