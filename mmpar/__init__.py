"""mmpar: pedestrian attribute recognition on MMEngine.

Nothing heavy is imported here. :mod:`mmpar.registry` checks the installation and
secures how MMEngine reads and writes checkpoints; every part of mmpar that uses
MMEngine imports it first, and so does MMEngine itself at the scope ``mmpar``.
"""

from typing import Any

from mmpar.version import __version__

__all__ = ["PARInferencer", "__version__", "get_model", "list_models"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mmpar import apis

    return getattr(apis, name)
