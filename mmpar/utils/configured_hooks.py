"""Which hooks a config has, however it names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def configured_hooks(cfg: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The hooks of a class in a config."""
    named = (cfg.get("default_hooks") or {}).values()
    hooks = [*named, *(cfg.get("custom_hooks") or [])]
    return [hook for hook in hooks if is_hook(hook, name)]


def is_hook(hook: Mapping[str, Any] | None, name: str) -> bool:
    """Whether this is the config of such a hook, as a class or a name in any scope.

    >>> is_hook(dict(type="mmengine.EMAHook"), "EMAHook")
    True
    """
    return hook is not None and name_of_type(hook.get("type")) == name


def name_of_type(kind: Any) -> str:
    """The class that a ``type`` names, itself or by a name in any scope."""
    return str(getattr(kind, "__name__", kind)).split(".")[-1]
