"""The text of a config as data: parsed, never executed.

What a training writes (``WORK_DIR/CONFIG.py``, and the same text in its checkpoints)
is assignments of literals, so nothing needs to run to read it, and a file that somebody
else made cannot have anything run.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

from mmpar.utils.repeats import repeated

MAX_BYTES = 1 << 19 if sys.version_info >= (3, 11) else 1 << 15
"""Of a config's text; those that trainings write have some thousands.

The parser of Python 3.9 ends the process at 90,000 levels, of one character each.
"""

_WAY_OUT = (
    "Only name = value is read, with values of text, numbers, True, False, None, "
    "lists, tuples, dicts and dict(...), as tools/train.py writes them; nothing is "
    "executed. Use the config that it wrote to the work dir, or publish the model from "
    "its work dir; for a config of your own that needs code, name it: "
    "mmpar publish CHECKPOINT --config CONFIG --out FILE"
)


class ConfigCodeError(ValueError):
    """A config's text is more than data; nothing of it was run."""


def read_config_data(path: str | Path) -> dict[str, Any]:
    """The fields of a config file that holds data alone.

    Raises:
        ConfigCodeError: See :func:`parse_config_data`.
        FileNotFoundError: There is no such file.
    """
    with open(path, "rb") as file:
        content = file.read(MAX_BYTES + 1)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise ConfigCodeError(f"{path} is not a config: not UTF-8 ({error})") from error
    return parse_config_data(text, str(path))


def parse_config_data(text: str, source: str) -> dict[str, Any]:
    r"""The fields of a config's text that holds data alone.

    >>> parse_config_data("model = dict(\n    type='A', size=(64, -1))", "a config")
    {'model': {'type': 'A', 'size': (64, -1)}}

    Args:
        text: As ``Config.pretty_text`` and ``Config.dump`` give it.
        source: Where it comes from, for errors.

    Raises:
        ConfigCodeError: It is too long, not Python, or holds anything but assignments
            of literals; names the line, what was found and the way out.
    """
    if len(text) > MAX_BYTES:
        raise ConfigCodeError(
            f"{source} has more than {MAX_BYTES:,} characters; no training writes a "
            "config of this size"
        )
    try:
        return _read_assignments(ast.parse(text).body)
    except SyntaxError as error:
        found = f"line {error.lineno}: {error.msg}"
        raise ConfigCodeError(f"{source}, {found}. {_WAY_OUT}") from error
    except (MemoryError, RecursionError):  # Python's parser raises either
        raise ConfigCodeError(f"{source}: it is nested too deep. {_WAY_OUT}") from None
    except ValueError as error:
        raise ConfigCodeError(f"{source}: {error}. {_WAY_OUT}") from error


def _read_assignments(statements: list[ast.stmt]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for statement in statements:
        if _is_docstring(statement):
            continue
        if not isinstance(statement, ast.Assign) or len(statement.targets) > 1:
            raise _refusal(statement)
        target = statement.targets[0]
        if not isinstance(target, ast.Name):
            raise _refusal(statement)
        if target.id in fields:
            raise ValueError(f"line {statement.lineno}: {target.id} is set twice")
        fields[target.id] = read_literal(statement.value)
    return fields


def _is_docstring(statement: ast.stmt) -> bool:
    value = getattr(statement, "value", None)
    text = isinstance(value, ast.Constant) and isinstance(value.value, str)
    return isinstance(statement, ast.Expr) and text


def read_literal(node: ast.expr) -> Any:
    """The value of a literal, in which ``dict(...)`` may be written for a dict.

    Raises:
        ValueError: It is anything else, or gives a key twice; names line and text.
    """
    if isinstance(node, ast.Call):
        return _read_dict_call(node)
    if isinstance(node, ast.Dict):
        if None in node.keys:  # {**other}
            raise _refusal(node)
        keys = [_read_number_or_text(key) for key in node.keys if key is not None]
        return _as_dict(node, keys, node.values)
    if isinstance(node, ast.List):
        return [read_literal(item) for item in node.elts]
    if isinstance(node, ast.Tuple):
        return tuple(read_literal(item) for item in node.elts)
    return _read_number_or_text(node)


def _read_dict_call(node: ast.Call) -> dict[Any, Any]:
    """``dict(a=1)``; or ``dict({'a-b': 1})``, as MMEngine writes keys of this kind."""
    if not isinstance(node.func, ast.Name) or node.func.id != "dict":
        raise _refusal(node)
    if len(node.args) == 1 and not node.keywords and isinstance(node.args[0], ast.Dict):
        return read_literal(node.args[0])
    keys = [word.arg for word in node.keywords]
    if node.args or None in keys:
        raise _refusal(node)
    return _as_dict(node, keys, [word.value for word in node.keywords])


def _as_dict(node: ast.expr, keys: list[Any], values: list[ast.expr]) -> dict[Any, Any]:
    found = dict(zip(keys, map(read_literal, values)))
    if len(found) < len(keys):
        twice = repeated(keys)[0]
        raise ValueError(f"line {node.lineno}: the key {twice!r} is given twice")
    return found


def _read_number_or_text(node: ast.expr) -> Any:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = getattr(node.operand, "value", None)
        if isinstance(node.operand, ast.Constant) and type(value) in (int, float):
            return -value  # type: ignore[operator]
    if isinstance(node, ast.Constant):
        kind = type(node.value)
        if node.value is None or kind in (str, int, float, bool):
            return node.value
    raise _refusal(node)


def _refusal(node: ast.stmt | ast.expr) -> ValueError:
    found = ast.unparse(node).split("\n")[0]
    found = found if len(found) <= 80 else f"{found[:77]}..."
    return ValueError(f"line {node.lineno}: {found} is not plain data")
