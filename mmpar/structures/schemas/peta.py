"""PETA: the 35 evaluated attributes, the first of the 105 in ``PETA.mat``.

Deng et al., "Pedestrian Attribute Recognition At Far Distance", ACM MM 2014.

Of the 19,000 images four have two ages, none is of casual and formal lower-body
clothing. Not exclusive are upper-body colours (11 % have two), lower-body, footwear and
hair colours (1.8 %, 3.0 %, 0.3 %), kinds of footwear (4 images), sleeves (2 images) and
casual and formal upper-body clothing (3 images).
"""

from mmpar.structures.attribute_schema import AttributeSchema

PETA = AttributeSchema.from_rows(
    title="PETA",
    rows=(
        ("personalLess30", "age"),
        ("personalLess45", "age"),
        ("personalLess60", "age"),
        ("personalLarger60", "age"),
        ("carryingBackpack", "bag"),
        ("carryingOther", "bag"),
        ("lowerBodyCasual", "lower"),
        ("upperBodyCasual", "upper"),
        ("lowerBodyFormal", "lower"),
        ("upperBodyFormal", "upper"),
        ("accessoryHat", "head"),
        ("upperBodyJacket", "upper"),
        ("lowerBodyJeans", "lower"),
        ("footwearLeatherShoes", "foot"),
        ("upperBodyLogo", "upper"),
        ("hairLong", "head"),
        ("personalMale", "gender"),
        ("carryingMessengerBag", "bag"),
        ("accessoryMuffler", "head"),
        ("accessoryNothing", "head"),
        ("carryingNothing", "bag"),
        ("upperBodyPlaid", "upper"),
        ("carryingPlasticBags", "bag"),
        ("footwearSandals", "foot"),
        ("footwearShoes", "foot"),
        ("lowerBodyShorts", "lower"),
        ("upperBodyShortSleeve", "upper"),
        ("lowerBodyShortSkirt", "lower"),
        ("footwearSneaker", "foot"),
        ("upperBodyThinStripes", "upper"),
        ("accessorySunglasses", "head"),
        ("lowerBodyTrousers", "lower"),
        ("upperBodyTshirt", "upper"),
        ("upperBodyOther", "upper"),
        ("upperBodyVNeck", "upper"),
    ),
    exclusive=(
        ("personalLess30", "personalLess45", "personalLess60", "personalLarger60"),
        ("lowerBodyCasual", "lowerBodyFormal"),
    ),
)
