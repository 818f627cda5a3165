"""One optimizer or several."""

from __future__ import annotations

from typing import Any

from mmengine.optim import OptimWrapperDict


def each_wrapper(wrapper: Any) -> list[Any]:
    """The optimizer wrappers of a Runner, which has one or a dict of them."""
    several = isinstance(wrapper, OptimWrapperDict)
    return [*wrapper.values()] if several else [wrapper]
