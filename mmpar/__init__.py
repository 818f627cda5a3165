"""mmpar: pedestrian attribute recognition on MMEngine."""

from mmpar.checkpoint_files import secure_checkpoint_loading
from mmpar.compat import check_dependencies
from mmpar.version import __version__

check_dependencies()

from mmpar.atomic import secure_checkpoint_writing  # noqa: E402  imports MMEngine

secure_checkpoint_loading()
secure_checkpoint_writing()

__all__ = ["__version__"]
