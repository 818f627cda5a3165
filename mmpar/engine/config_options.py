"""Merges ``--cfg-options`` into a config."""

from __future__ import annotations

import difflib
from typing import Any

from mmengine.config import Config

from mmpar.engine.config_check import READ_BY_RUNNER


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
