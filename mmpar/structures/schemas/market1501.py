"""Market-1501-attribute: 27 attributes, age as four columns, hence 30.

Names and order are those of the struct ``train`` in ``market_attribute.mat`` (the
struct ``test`` has another order). The release counts 2 as present: ``clothes`` is
pants rather than dress, ``down`` short lower-body clothing, ``up`` short sleeves,
``hair`` long hair, ``gender`` female.

Lin et al., "Improving Person Re-identification by Attribute and Identity Learning",
Pattern Recognition 2019; README of github.com/vana77/Market-1501_Attribute.
"""

from mmpar.structures.attribute_schema import AttributeSchema

MARKET1501 = AttributeSchema(
    title="Market-1501-attribute",
    names=(
        "age-young",
        "age-teenager",
        "age-adult",
        "age-old",
        "backpack",
        "bag",
        "handbag",
        "downblack",
        "downblue",
        "downbrown",
        "downgray",
        "downgreen",
        "downpink",
        "downpurple",
        "downwhite",
        "downyellow",
        "upblack",
        "upblue",
        "upgreen",
        "upgray",
        "uppurple",
        "upred",
        "upwhite",
        "upyellow",
        "clothes",
        "down",
        "up",
        "hair",
        "hat",
        "gender",
    ),
    groups={
        "head": (
            "hair",
            "hat",
        ),
        "upper": (
            "up",
            "upblack",
            "upblue",
            "upgreen",
            "upgray",
            "uppurple",
            "upred",
            "upwhite",
            "upyellow",
        ),
        "lower": (
            "clothes",
            "down",
            "downblack",
            "downblue",
            "downbrown",
            "downgray",
            "downgreen",
            "downpink",
            "downpurple",
            "downwhite",
            "downyellow",
        ),
        "bag": (
            "backpack",
            "bag",
            "handbag",
        ),
        "age": (
            "age-young",
            "age-teenager",
            "age-adult",
            "age-old",
        ),
        "gender": ("gender",),
    },
)
