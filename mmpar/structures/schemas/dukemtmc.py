"""DukeMTMC-attribute: 23 attributes.

Names and order are those of the struct ``train`` in ``duke_attribute.mat`` (the struct
``test`` has another order). The release counts 2 as present: ``top`` is long
upper-body clothing, ``shoes`` light shoes, ``gender`` female.

Lin et al., "Improving Person Re-identification by Attribute and Identity Learning",
Pattern Recognition 2019; README of github.com/vana77/DukeMTMC-attribute.
"""

from mmpar.structures.attribute_schema import AttributeSchema

DUKEMTMC = AttributeSchema(
    title="DukeMTMC-attribute",
    names=(
        "backpack",
        "bag",
        "handbag",
        "boots",
        "gender",
        "hat",
        "shoes",
        "top",
        "downblack",
        "downwhite",
        "downred",
        "downgray",
        "downblue",
        "downgreen",
        "downbrown",
        "upblack",
        "upwhite",
        "upred",
        "uppurple",
        "upgray",
        "upblue",
        "upgreen",
        "upbrown",
    ),
    groups={
        "head": ("hat",),
        "upper": (
            "top",
            "upblack",
            "upwhite",
            "upred",
            "uppurple",
            "upgray",
            "upblue",
            "upgreen",
            "upbrown",
        ),
        "lower": (
            "downblack",
            "downwhite",
            "downred",
            "downgray",
            "downblue",
            "downgreen",
            "downbrown",
        ),
        "foot": (
            "boots",
            "shoes",
        ),
        "bag": (
            "backpack",
            "bag",
            "handbag",
        ),
        "gender": ("gender",),
    },
)
