"""mmpar: pedestrian attribute recognition on MMEngine."""

from mmpar.checkpoint_files import secure_checkpoint_loading
from mmpar.compat import check_dependencies
from mmpar.version import __version__

check_dependencies()
secure_checkpoint_loading()

__all__ = ["__version__"]
