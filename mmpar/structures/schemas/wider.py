"""WIDER-Attribute: 14 attributes, in the order and spelling of the release.

Li et al., "Human Attribute Recognition by Deep Hierarchical Contexts", ECCV 2016; the
map ``attribute_id_map`` of ``wider_attribute_trainval.json``, "Tshiirt" included.
"""

from mmpar.structures.attribute_schema import AttributeSchema

WIDER = AttributeSchema(
    title="WIDER-Attribute",
    names=(
        "Male",
        "longHair",
        "sunglass",
        "Hat",
        "Tshiirt",
        "longSleeve",
        "formal",
        "shorts",
        "jeans",
        "longPants",
        "skirt",
        "faceMask",
        "logo",
        "stripe",
    ),
    groups={
        "head": ("longHair", "sunglass", "Hat", "faceMask"),
        "upper": ("Tshiirt", "longSleeve", "formal", "logo", "stripe"),
        "lower": ("shorts", "jeans", "longPants", "skirt"),
        "gender": ("Male",),
    },
)
