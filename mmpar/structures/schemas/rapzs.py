"""RAPzs: RAPv2's attributes without ``Age46-60``, which no training image has.

Jia et al., "Rethinking of Pedestrian Attribute Recognition", arXiv 2107.03576.
"""

from dataclasses import replace

from mmpar.structures.schemas.rapv2 import RAPV2

RAPZS = replace(
    RAPV2.select([name for name in RAPV2.names if name != "Age46-60"]), title="RAPzs"
)
