"""PA-100K: 26 attributes in the order of the release's ``annotation.mat``.

Liu et al., "HydraPlus-Net: Attentive Deep Features for Pedestrian Analysis", ICCV 2017.
"""

from mmpar.structures.attribute_schema import AttributeSchema

PA100K = AttributeSchema(
    title="PA-100K",
    names=(
        "Female",
        "AgeOver60",
        "Age18-60",
        "AgeLess18",
        "Front",
        "Side",
        "Back",
        "Hat",
        "Glasses",
        "HandBag",
        "ShoulderBag",
        "Backpack",
        "HoldObjectsInFront",
        "ShortSleeve",
        "LongSleeve",
        "UpperStride",
        "UpperLogo",
        "UpperPlaid",
        "UpperSplice",
        "LowerStripe",
        "LowerPattern",
        "LongCoat",
        "Trousers",
        "Shorts",
        "Skirt&Dress",
        "boots",
    ),
    groups={
        "head": ("Hat", "Glasses"),
        "upper": (
            "ShortSleeve",
            "LongSleeve",
            "UpperStride",
            "UpperLogo",
            "UpperPlaid",
            "UpperSplice",
        ),
        "lower": (
            "LowerStripe",
            "LowerPattern",
            "LongCoat",
            "Trousers",
            "Shorts",
            "Skirt&Dress",
        ),
        "foot": ("boots",),
        "bag": ("HandBag", "ShoulderBag", "Backpack", "HoldObjectsInFront"),
        "age": ("AgeOver60", "Age18-60", "AgeLess18"),
        "gender": ("Female",),
        "view": ("Front", "Side", "Back"),
    },
)
