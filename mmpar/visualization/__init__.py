"""Pictures of samples and of predictions."""

import mmpar.registry  # noqa: F401  checks the installation, secures checkpoints
from mmpar.visualization.contact_sheet import Tile, contact_sheet
from mmpar.visualization.packed_tile import packed_tile

__all__ = ["Tile", "contact_sheet", "packed_tile"]
