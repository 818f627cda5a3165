"""DukeMTMC-attribute: 23 attributes.

Names and order are those of the struct ``train`` in ``duke_attribute.mat`` (the struct
``test`` has another order). The release counts 2 as present: ``top`` is long
upper-body clothing, ``shoes`` light shoes, ``gender`` female.

Lin et al., "Improving Person Re-identification by Attribute and Identity Learning",
Pattern Recognition 2019; README of github.com/vana77/DukeMTMC-attribute.

None of the 1,812 persons has two upper-body colours; 23 of the test split have two
lower-body ones and 12 have boots and light shoes, so those sets are not exclusive.
"""

from mmpar.structures.attribute_schema import AttributeSchema

DUKEMTMC = AttributeSchema.from_rows(
    title="DukeMTMC-attribute",
    rows=(
        ("backpack", "bag"),
        ("bag", "bag"),
        ("handbag", "bag"),
        ("boots", "foot"),
        ("gender", "gender"),
        ("hat", "head"),
        ("shoes", "foot"),
        ("top", "upper"),
        ("downblack", "lower"),
        ("downwhite", "lower"),
        ("downred", "lower"),
        ("downgray", "lower"),
        ("downblue", "lower"),
        ("downgreen", "lower"),
        ("downbrown", "lower"),
        ("upblack", "upper"),
        ("upwhite", "upper"),
        ("upred", "upper"),
        ("uppurple", "upper"),
        ("upgray", "upper"),
        ("upblue", "upper"),
        ("upgreen", "upper"),
        ("upbrown", "upper"),
    ),
    exclusive=(
        (
            "upblack",
            "upwhite",
            "upred",
            "uppurple",
            "upgray",
            "upblue",
            "upgreen",
            "upbrown",
        ),
    ),
)
