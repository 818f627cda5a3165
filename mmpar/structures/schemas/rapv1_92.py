"""RAPv1: all 92 attributes: the 51 evaluated, 12 views and occlusions, 29 colours.

Names and order as in the Strong Baseline's annotation.md.
"""

from mmpar.structures.attribute_schema import AttributeSchema
from mmpar.structures.schemas.rapv1 import RAPV1

_VIEWS = (
    "faceFront",
    "faceBack",
    "faceLeft",
    "faceRight",
)
_OCCLUSIONS = (
    "occlusionLeft",
    "occlusionRight",
    "occlusionUp",
    "occlusionDown",
    "occlusion-Environment",
    "occlusion-Attachment",
    "occlusion-Person",
    "occlusion-Other",
)
_COLOURS = (
    "up-Black",
    "up-White",
    "up-Gray",
    "up-Red",
    "up-Green",
    "up-Blue",
    "up-Yellow",
    "up-Brown",
    "up-Purple",
    "up-Pink",
    "up-Orange",
    "up-Mixture",
    "low-Black",
    "low-White",
    "low-Gray",
    "low-Red",
    "low-Green",
    "low-Blue",
    "low-Yellow",
    "low-Mixture",
    "shoes-Black",
    "shoes-White",
    "shoes-Gray",
    "shoes-Red",
    "shoes-Green",
    "shoes-Blue",
    "shoes-Yellow",
    "shoes-Brown",
    "shoes-Mixture",
)
_COLOUR_OF = {"upper": "up-", "lower": "low-", "foot": "shoes-"}

RAPV1_92 = AttributeSchema(
    title="RAPv1, all attributes",
    names=(*RAPV1.names, *_VIEWS, *_OCCLUSIONS, *_COLOURS),
    groups={
        **RAPV1.groups,
        **{
            group: (*RAPV1.groups[group], *(c for c in _COLOURS if c.startswith(start)))
            for group, start in _COLOUR_OF.items()
        },
        "view": _VIEWS,
        "occlusion": _OCCLUSIONS,
    },
    exclusive=(*RAPV1.exclusive, ("faceFront", "faceBack")),
)
