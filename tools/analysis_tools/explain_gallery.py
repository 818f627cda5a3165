"""Draw where a model sees attributes: heat maps, predicted boxes, true ones if any.

python tools/analysis_tools/explain_gallery.py CONFIG CHECKPOINT \
    --explainer GradCAMP --out gallery.png

Any test split will do. True boxes are drawn, and persons with small ones chosen, where
the pipeline loads them (LoadAttributeBoxes).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmpar.utils.cli import explainer_arguments


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = explainer_arguments(__doc__)
    parser.add_argument("--out", type=Path, required=True, help="picture to write")
    parser.add_argument("--persons", type=int, default=5, help="(%(default)s)")
    parser.add_argument(
        "--attributes", type=int, default=6, help="of each person (%(default)s)"
    )
    args = parser.parse_args()
    for name in ("persons", "attributes"):
        if getattr(args, name) < 1:
            parser.error(f"--{name} is 1 or more")
    return args


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

import torch

from mmpar.engine import build_runner
from mmpar.utils.config import read_explainer_config
from mmpar.visualization.explanation_gallery import (
    ExplainedPerson,
    Row,
    chosen_rows,
    draw_gallery,
)
from mmpar.visualization.packed_tile import rgb_picture

_MOST = 64
"""So many images are looked at for ones with enough true boxes, or as many as asked."""


def explained_persons(runner: Any, threshold: float) -> Iterator[ExplainedPerson]:
    """The test split, in its order."""
    loop = runner.test_loop
    loop.prepare()
    for batch in loop.dataloader:
        data = loop.model.data_preprocessor(batch, False)
        with torch.no_grad():
            samples = loop.model(**data, mode="predict")
        loop.explainer.annotate(data["inputs"], samples)
        for inputs, sample in zip(batch["inputs"], samples):
            image = rgb_picture(inputs, str(sample.get("img_path")))
            yield ExplainedPerson.of(image, sample, threshold)


def main(args: argparse.Namespace) -> None:
    """Explain and draw."""
    evaluator = dict(type="AttributeLocalizationMetric", threshold=args.threshold)
    runner = build_runner(read_explainer_config(args, "explain_gallery", evaluator))
    persons: list[ExplainedPerson] = []
    rows: list[Row] = []
    for person in explained_persons(runner, args.threshold):
        persons.append(person)
        rows = chosen_rows(persons, args.persons, args.attributes)
        if len(rows) == args.persons or len(persons) == max(args.persons, _MOST):
            break
    if not rows:
        sys.exit(
            f"error: of the first {len(persons)} images none has {args.attributes} "
            "attributes with a small true box; ask for fewer --attributes"
        )
    draw_gallery(rows, runner.test_loop.model.head.schema.names, args.out)
    print(f"{len(rows)} persons, {len(rows[0][1])} attributes each, in {args.out}")
    if len(rows) < args.persons:
        print(f"no more of the first {len(persons)} images have as much to show")


if __name__ == "__main__":
    main(ARGS)
