"""RAPv1: the 51 evaluated attributes, the first of the release's 92, spelled as there.

Li et al., "A Richly Annotated Dataset for Pedestrian Attribute Recognition", arXiv
1603.07054.

Exclusive sets are those that the paper means; they were not measured on its files.
"""

from mmpar.structures.attribute_schema import AttributeSchema

RAPV1 = AttributeSchema.from_rows(
    title="RAPv1",
    rows=(
        ("Female", "gender"),
        ("AgeLess16", "age"),
        ("Age17-30", "age"),
        ("Age31-45", "age"),
        ("BodyFat", "body"),
        ("BodyNormal", "body"),
        ("BodyThin", "body"),
        ("Customer", "role"),
        ("Clerk", "role"),
        ("hs-BaldHead", "head"),
        ("hs-LongHair", "head"),
        ("hs-BlackHair", "head"),
        ("hs-Hat", "head"),
        ("hs-Glasses", "head"),
        ("hs-Muffler", "head"),
        ("ub-Shirt", "upper"),
        ("ub-Sweater", "upper"),
        ("ub-Vest", "upper"),
        ("ub-TShirt", "upper"),
        ("ub-Cotton", "upper"),
        ("ub-Jacket", "upper"),
        ("ub-SuitUp", "upper"),
        ("ub-Tight", "upper"),
        ("ub-ShortSleeve", "upper"),
        ("lb-LongTrousers", "lower"),
        ("lb-Skirt", "lower"),
        ("lb-ShortSkirt", "lower"),
        ("lb-Dress", "lower"),
        ("lb-Jeans", "lower"),
        ("lb-TightTrousers", "lower"),
        ("shoes-Leather", "foot"),
        ("shoes-Sport", "foot"),
        ("shoes-Boots", "foot"),
        ("shoes-Cloth", "foot"),
        ("shoes-Casual", "foot"),
        ("attach-Backpack", "bag"),
        ("attach-SingleShoulderBag", "bag"),
        ("attach-HandBag", "bag"),
        ("attach-Box", "bag"),
        ("attach-PlasticBag", "bag"),
        ("attach-PaperBag", "bag"),
        ("attach-HandTrunk", "bag"),
        ("attach-Other", "bag"),
        ("action-Calling", "action"),
        ("action-Talking", "action"),
        ("action-Gathering", "action"),
        ("action-Holding", "action"),
        ("action-Pusing", "action"),
        ("action-Pulling", "action"),
        ("action-CarrybyArm", "action"),
        ("action-CarrybyHand", "action"),
    ),
    exclusive=(("AgeLess16", "Age17-30", "Age31-45"),),
)
