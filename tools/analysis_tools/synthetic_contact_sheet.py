"""Draw people of SyntheticPAR on one sheet, each above the names of its attributes.

python tools/analysis_tools/synthetic_contact_sheet.py --out people.png
"""

from __future__ import annotations

import argparse
from pathlib import Path


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="picture to write")
    parser.add_argument("--num", type=int, default=48, help="how many people")
    parser.add_argument("--seed", type=int, default=0, help="seed of the data set")
    parser.add_argument(
        "--size", type=int, nargs=2, default=(96, 192), metavar=("WIDTH", "HEIGHT")
    )
    parser.add_argument("--columns", type=int, default=12)
    parser.add_argument("--boxes", action="store_true", help="draw attribute boxes")
    return parser.parse_args()


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

from mmpar.structures.schemas.pa100k import PA100K
from mmpar.synthetic import DrawnPerson, draw_person
from mmpar.visualization import Tile, contact_sheet


def person_tile(person: DrawnPerson, boxes: bool) -> Tile:
    """The picture above the names of the attributes present.

    Boxes are of what has a place of its own, not of age, gender and view.
    """
    names = [n for n, label in zip(PA100K.names, person.labels) if label == 1]
    places = [
        (box.tolist(), "red")
        for box in person.attribute_boxes
        if boxes and (box == box).all() and (box != person.person_box).any()
    ]
    return Tile(person.image, [(", ".join(names), "black")], places)


def main(args: argparse.Namespace) -> None:
    size = (args.size[0], args.size[1])
    people = [draw_person(args.seed, i, size) for i in range(args.num)]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    tiles = [person_tile(person, args.boxes) for person in people]
    sheet = contact_sheet(tiles, args.columns)
    # The last two bits are camera noise and half of the bytes.
    sheet.point(lambda value: min(255, (value & ~3) + 3)).save(args.out, optimize=True)
    print(f"{args.num} people on {args.out}")


if __name__ == "__main__":
    main(ARGS)
