"""RAPzs: RAPv2's attributes without ``Age46-60``, which no training image has.

Jia et al., "Rethinking of Pedestrian Attribute Recognition", arXiv 2107.03576.
"""

from mmpar.structures.attribute_schema import AttributeSchema
from mmpar.structures.schemas.rapv2 import RAPV2

_LEFT_OUT = "Age46-60"

RAPZS = AttributeSchema(
    title="RAPzs",
    names=tuple(name for name in RAPV2.names if name != _LEFT_OUT),
    groups={
        group: tuple(name for name in members if name != _LEFT_OUT)
        for group, members in RAPV2.groups.items()
    },
    exclusive=tuple(
        tuple(name for name in names if name != _LEFT_OUT) for names in RAPV2.exclusive
    ),
)
