"""UPAR: 40 attributes in the order of the release.

Specker et al., "UPAR: Unified Pedestrian Attribute Recognition and Person Retrieval",
WACV 2023. Names and order as in the header of the challenge's ``train.csv``.

Exclusive sets are those that the paper means; they were not measured on its files.
"""

from mmpar.structures.attribute_schema import AttributeSchema

UPAR = AttributeSchema.from_rows(
    title="UPAR",
    rows=(
        ("Age-Young", "age"),
        ("Age-Adult", "age"),
        ("Age-Old", "age"),
        ("Gender-Female", "gender"),
        ("Hair-Length-Short", "head"),
        ("Hair-Length-Long", "head"),
        ("Hair-Length-Bald", "head"),
        ("UpperBody-Length-Short", "upper"),
        ("UpperBody-Color-Black", "upper"),
        ("UpperBody-Color-Blue", "upper"),
        ("UpperBody-Color-Brown", "upper"),
        ("UpperBody-Color-Green", "upper"),
        ("UpperBody-Color-Grey", "upper"),
        ("UpperBody-Color-Orange", "upper"),
        ("UpperBody-Color-Pink", "upper"),
        ("UpperBody-Color-Purple", "upper"),
        ("UpperBody-Color-Red", "upper"),
        ("UpperBody-Color-White", "upper"),
        ("UpperBody-Color-Yellow", "upper"),
        ("UpperBody-Color-Other", "upper"),
        ("LowerBody-Length-Short", "lower"),
        ("LowerBody-Color-Black", "lower"),
        ("LowerBody-Color-Blue", "lower"),
        ("LowerBody-Color-Brown", "lower"),
        ("LowerBody-Color-Green", "lower"),
        ("LowerBody-Color-Grey", "lower"),
        ("LowerBody-Color-Orange", "lower"),
        ("LowerBody-Color-Pink", "lower"),
        ("LowerBody-Color-Purple", "lower"),
        ("LowerBody-Color-Red", "lower"),
        ("LowerBody-Color-White", "lower"),
        ("LowerBody-Color-Yellow", "lower"),
        ("LowerBody-Color-Other", "lower"),
        ("LowerBody-Type-Trousers&Shorts", "lower"),
        ("LowerBody-Type-Skirt&Dress", "lower"),
        ("Accessory-Backpack", "bag"),
        ("Accessory-Bag", "bag"),
        ("Accessory-Glasses-Normal", "head"),
        ("Accessory-Glasses-Sun", "head"),
        ("Accessory-Hat", "head"),
    ),
    exclusive=(("Age-Young", "Age-Adult", "Age-Old"),),
)
