"""Market-1501-attribute: 27 attributes, age as four columns, hence 30.

Names and order are those of the struct ``train`` in ``market_attribute.mat`` (the
struct ``test`` has another order). The release counts 2 as present: ``clothes`` is
pants rather than dress, ``down`` short lower-body clothing, ``up`` short sleeves,
``hair`` long hair, ``gender`` female.

Lin et al., "Improving Person Re-identification by Attribute and Identity Learning",
Pattern Recognition 2019; README of github.com/vana77/Market-1501_Attribute.

Age is one column of the file, so its values exclude each other. None of the 1,501
persons has two upper-body or two lower-body colours.
"""

from mmpar.structures.attribute_schema import AttributeSchema

MARKET1501 = AttributeSchema.from_rows(
    title="Market-1501-attribute",
    rows=(
        ("age-young", "age"),
        ("age-teenager", "age"),
        ("age-adult", "age"),
        ("age-old", "age"),
        ("backpack", "bag"),
        ("bag", "bag"),
        ("handbag", "bag"),
        ("downblack", "lower"),
        ("downblue", "lower"),
        ("downbrown", "lower"),
        ("downgray", "lower"),
        ("downgreen", "lower"),
        ("downpink", "lower"),
        ("downpurple", "lower"),
        ("downwhite", "lower"),
        ("downyellow", "lower"),
        ("upblack", "upper"),
        ("upblue", "upper"),
        ("upgreen", "upper"),
        ("upgray", "upper"),
        ("uppurple", "upper"),
        ("upred", "upper"),
        ("upwhite", "upper"),
        ("upyellow", "upper"),
        ("clothes", "lower"),
        ("down", "lower"),
        ("up", "upper"),
        ("hair", "head"),
        ("hat", "head"),
        ("gender", "gender"),
    ),
    exclusive=(
        ("age-young", "age-teenager", "age-adult", "age-old"),
        (
            "upblack",
            "upblue",
            "upgreen",
            "upgray",
            "uppurple",
            "upred",
            "upwhite",
            "upyellow",
        ),
        (
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
    ),
)
