"""mmpar: pedestrian attribute recognition on MMEngine.

Nothing heavy is imported here. :mod:`mmpar.registry` checks the installation and
secures how MMEngine reads and writes checkpoints; every part of mmpar that uses
MMEngine imports it first, and so does MMEngine itself at the scope ``mmpar``.
"""

from mmpar.version import __version__

__all__ = ["__version__"]
