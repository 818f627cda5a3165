"""mmpar: pedestrian attribute recognition on MMEngine.

Nothing heavy is imported here. :mod:`mmpar.registry` checks the installation and
secures how MMEngine reads and writes checkpoints; every part of mmpar that uses
MMEngine imports it first, and so does MMEngine itself at the scope ``mmpar``.
"""

from mmpar.utils.lazy import import_on_demand
from mmpar.version import __version__

__all__ = ["PARInferencer", "__version__", "get_model", "list_models"]

__getattr__ = import_on_demand(
    __name__, dict.fromkeys(("PARInferencer", "get_model", "list_models"), "mmpar.apis")
)
