"""WIDER-Attribute: 14 attributes, in the order and spelling of the release.

Li et al., "Human Attribute Recognition by Deep Hierarchical Contexts", ECCV 2016; the
map ``attribute_id_map`` of ``wider_attribute_trainval.json``, "Tshiirt" included.
"""

from mmpar.structures.attribute_schema import AttributeSchema

WIDER = AttributeSchema.from_rows(
    title="WIDER-Attribute",
    rows=(
        ("Male", "gender"),
        ("longHair", "head"),
        ("sunglass", "head"),
        ("Hat", "head"),
        ("Tshiirt", "upper"),
        ("longSleeve", "upper"),
        ("formal", "upper"),
        ("shorts", "lower"),
        ("jeans", "lower"),
        ("longPants", "lower"),
        ("skirt", "lower"),
        ("faceMask", "head"),
        ("logo", "upper"),
        ("stripe", "upper"),
    ),
)
