"""Draw people of SyntheticPAR on one sheet, each above the names of its attributes.

python tools/analysis_tools/synthetic_contact_sheet.py --out people.png
"""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from mmpar.datasets.drawing import DrawnPerson, draw_person
from mmpar.structures.schemas.pa100k import PA100K

_MARGIN, _LINE, _CHARACTERS = 4, 10, 21
_CELL_WIDTH = 112


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


def contact_sheet(people: list[DrawnPerson], columns: int, boxes: bool) -> Image.Image:
    """Pictures in rows, attribute names below each."""
    height, width = people[0].image.shape[:2]
    cell_width = max(width, _CELL_WIDTH) + 2 * _MARGIN
    texts = [label_lines(person) for person in people]
    cell_height = height + max(map(len, texts)) * _LINE + 3 * _MARGIN
    columns = min(columns, len(people))
    rows = -(-len(people) // columns)
    sheet = Image.new("RGB", (columns * cell_width, rows * cell_height), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(9)
    for i, person in enumerate(people):
        left = (i % columns) * cell_width + _MARGIN
        top = (i // columns) * cell_height + _MARGIN
        picture = left + (cell_width - 2 * _MARGIN - width) // 2
        sheet.paste(Image.fromarray(person.image), (picture, top))
        if boxes:
            draw_boxes(draw, person, picture, top)
        for row, line in enumerate(texts[i]):
            place = (left, top + height + _MARGIN + row * _LINE)
            draw.text(place, line, fill="black", font=font)
    return sheet


def label_lines(person: DrawnPerson) -> list[str]:
    """Names of the attributes present, in lines that fit below a picture."""
    names = [n for n, label in zip(PA100K.names, person.labels) if label == 1]
    return textwrap.wrap(", ".join(names), _CHARACTERS, break_on_hyphens=False)


def draw_boxes(
    draw: ImageDraw.ImageDraw, person: DrawnPerson, left: int, top: int
) -> None:
    """Outline what has a place of its own, not age, gender and view."""
    for box in person.attribute_boxes:
        if (box == box).all() and (box != person.person_box).any():
            x0, y0, x1, y1 = box.tolist()
            draw.rectangle(
                (left + x0, top + y0, left + x1 - 1, top + y1 - 1), outline="red"
            )


def main() -> None:
    args = parse_args()
    size = (args.size[0], args.size[1])
    people = [draw_person(args.seed, i, size) for i in range(args.num)]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    sheet = contact_sheet(people, args.columns, args.boxes)
    # The last two bits are camera noise and half of the bytes.
    sheet.point(lambda value: min(255, (value & ~3) + 3)).save(args.out, optimize=True)
    print(f"{args.num} people on {args.out}")


if __name__ == "__main__":
    main()
