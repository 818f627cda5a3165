"""The argument ``--cfg-options``: fields of a config, by the command line."""

from __future__ import annotations

import argparse
import ast
import difflib
from typing import Any

from mmengine.config import Config, DictAction

from mmpar.engine.config_check import READ_BY_RUNNER


class ConfigOptions(DictAction):
    """MMEngine's action for ``key=value``, which also takes ``key=dict(name=...)``.

    What cannot be understood is an error of the command line.
    """

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Add the pairs to the dict that the namespace has."""
        options = dict(getattr(namespace, self.dest, None) or {})
        for pair in values:
            key, equals, value = pair.partition("=")
            if not (key and equals):
                raise argparse.ArgumentError(self, f"takes key=value, got {pair!r}")
            try:
                options[key] = self._value(value)
            except (AssertionError, RecursionError, SyntaxError, ValueError) as error:
                raise argparse.ArgumentError(
                    self,
                    f"cannot read the value of {pair!r} ({error}); write a list as "
                    "[a,b], a dict as \"dict(type='Pretrained',checkpoint='x.pth')\"",
                ) from error
        setattr(namespace, self.dest, options)

    def _value(self, text: str) -> Any:
        if text.startswith(("dict(", "{")):
            return _literal(ast.parse(text, mode="eval").body)
        return self._parse_iterable(text)


def _literal(node: ast.AST) -> Any:
    """A Python literal, in which ``dict(...)`` stands for a dict."""
    if isinstance(node, ast.Call):
        named = all(word.arg for word in node.keywords)
        if ast.unparse(node.func) != "dict" or node.args or not named:
            raise ValueError(f"{ast.unparse(node)} is not a dict of named values")
        return {str(word.arg): _literal(word.value) for word in node.keywords}
    if isinstance(node, ast.Dict):
        keys = [ast.literal_eval(key) if key else None for key in node.keys]
        return dict(zip(keys, map(_literal, node.values)))
    if isinstance(node, ast.List):
        return [_literal(item) for item in node.elts]
    if isinstance(node, ast.Tuple):
        return tuple(_literal(item) for item in node.elts)
    if isinstance(node, ast.Name):
        raise ValueError(f"{node.id} is neither a number nor text in quotes")
    return ast.literal_eval(node)


def merge_options(cfg: Config, options: dict[str, Any]) -> None:
    """Merge the options into a config.

    Raises:
        ValueError: A key begins with a name that neither the config nor the Runner
            knows. MMEngine would add it, and nothing would read it.
    """
    known = {*cfg.keys(), *READ_BY_RUNNER}
    for key, value in options.items():
        first = key.split(".")[0]
        if first not in known:
            near = difflib.get_close_matches(first, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(
                f"--cfg-options {key}=...: {cfg.filename} has no {first!r}{hint}"
            )
        if isinstance(value, dict):  # takes the place of what is there, None or not
            cfg.merge_from_dict({key: None})
            value = {**value, "_delete_": True}
        cfg.merge_from_dict({key: value})
