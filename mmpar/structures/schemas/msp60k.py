"""MSP60K: 57 attributes, in the order of the authors' script ``mspar.py``.

Jin et al., "Pedestrian Attribute Recognition: A New Benchmark Dataset and A Large
Language Model Augmented Framework", AAAI 2025; github.com/Event-AHU/OpenPAR, which
spells "Riding an scooter" so.

Exclusive sets are those that the names mean; they were not measured on its files.
"""

from mmpar.structures.attribute_schema import AttributeSchema

MSP60K = AttributeSchema.from_rows(
    title="MSP60K",
    rows=(
        ("Female", "gender"),
        ("Child", "age"),
        ("Adult", "age"),
        ("Elderly", "age"),
        ("Fat", "body"),
        ("Normal", "body"),
        ("Thin", "body"),
        ("Bald", "head"),
        ("Long hair", "head"),
        ("Black hair", "head"),
        ("Hat", "head"),
        ("Glasses", "head"),
        ("Mask", "head"),
        ("Helmet", "head"),
        ("Scarf", "head"),
        ("Gloves", None),
        ("Front", "view"),
        ("Back", "view"),
        ("Side", "view"),
        ("Short sleeves", "upper"),
        ("Long sleeves", "upper"),
        ("Shirt", "upper"),
        ("Jacket", "upper"),
        ("Suit", "upper"),
        ("Vest", "upper"),
        ("Cotton-padded coat", "upper"),
        ("Coat", "upper"),
        ("Graduation gown", "upper"),
        ("Chef uniform", "upper"),
        ("Trousers", "lower"),
        ("Shorts", "lower"),
        ("Jeans", "lower"),
        ("Long skirt", "lower"),
        ("Short skirt", "lower"),
        ("Dress", "lower"),
        ("Leather shoes", "foot"),
        ("Casual shoes", "foot"),
        ("Boots", "foot"),
        ("Sandals", "foot"),
        ("Other shoes", "foot"),
        ("Backpack", "bag"),
        ("Shoulder bag", "bag"),
        ("Handbag", "bag"),
        ("Plastic bag", "bag"),
        ("Paper bag", "bag"),
        ("Suitcase", "bag"),
        ("Others", "bag"),
        ("Making a phone call", "action"),
        ("Smoking", "action"),
        ("Hands behind back", "action"),
        ("Arms crossed", "action"),
        ("Walking", "action"),
        ("Running", "action"),
        ("Standing", "action"),
        ("Riding a bicycle", "action"),
        ("Riding an scooter", "action"),
        ("Riding a skateboard", "action"),
    ),
    exclusive=(
        ("Child", "Adult", "Elderly"),
        ("Front", "Back"),
    ),
)
