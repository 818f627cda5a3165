"""PA-100K: 26 attributes in the order of the release's ``annotation.mat``.

Liu et al., "HydraPlus-Net: Attentive Deep Features for Pedestrian Analysis", ICCV 2017.

No image of the 10,000 of the test split has two members of an exclusive set.
"""

from mmpar.structures.attribute_schema import AttributeSchema

PA100K = AttributeSchema.from_rows(
    title="PA-100K",
    rows=(
        ("Female", "gender"),
        ("AgeOver60", "age"),
        ("Age18-60", "age"),
        ("AgeLess18", "age"),
        ("Front", "view"),
        ("Side", "view"),
        ("Back", "view"),
        ("Hat", "head"),
        ("Glasses", "head"),
        ("HandBag", "bag"),
        ("ShoulderBag", "bag"),
        ("Backpack", "bag"),
        ("HoldObjectsInFront", "bag"),
        ("ShortSleeve", "upper"),
        ("LongSleeve", "upper"),
        ("UpperStride", "upper"),
        ("UpperLogo", "upper"),
        ("UpperPlaid", "upper"),
        ("UpperSplice", "upper"),
        ("LowerStripe", "lower"),
        ("LowerPattern", "lower"),
        ("LongCoat", "lower"),
        ("Trousers", "lower"),
        ("Shorts", "lower"),
        ("Skirt&Dress", "lower"),
        ("boots", "foot"),
    ),
    exclusive=(
        ("AgeOver60", "Age18-60", "AgeLess18"),
        ("Front", "Side", "Back"),
        ("ShortSleeve", "LongSleeve"),
        ("Trousers", "Shorts", "Skirt&Dress"),
        ("UpperStride", "UpperPlaid", "UpperSplice"),
        ("LowerStripe", "LowerPattern"),
    ),
)
