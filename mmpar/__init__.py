"""mmpar: pedestrian attribute recognition on MMEngine."""

from mmpar.compat import check_dependencies, secure_checkpoint_loading
from mmpar.version import __version__

check_dependencies()
secure_checkpoint_loading()

__all__ = ["__version__"]
