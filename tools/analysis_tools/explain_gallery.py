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
    parser.add_argument("--out", type=Path, required=True, help="image to write")
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

import numpy as np
import torch
from mmpretrain.structures import DataSample
from PIL import Image

from mmpar.engine import build_runner
from mmpar.utils.config import read_explainer_config
from mmpar.visualization import PARVisualizer, image_grid, to_rgb_image
from mmpar.visualization.explanation_gallery import select_rows

_MOST = 64
"""So many images are looked at for ones with enough true boxes, or as many as asked."""


def explained_samples(runner: Any) -> Iterator[tuple[np.ndarray, DataSample]]:
    """The images of the test split and their annotated samples, in its order."""
    loop = runner.test_loop
    loop.prepare()
    for batch in loop.dataloader:
        data = loop.model.data_preprocessor(batch, False)
        with torch.no_grad():
            samples = loop.model(**data, mode="predict")
        loop.explainer.annotate(data["inputs"], samples)
        for inputs, sample in zip(batch["inputs"], samples):
            yield to_rgb_image(inputs, str(sample.get("img_path"))), sample


def main(args: argparse.Namespace) -> None:
    """Explain and draw."""
    evaluator = dict(type="AttributeLocalizationMetric", threshold=args.threshold)
    runner = build_runner(read_explainer_config(args, "explain_gallery", evaluator))
    images: list[np.ndarray] = []
    samples: list[DataSample] = []
    rows: list[tuple[int, list[int]]] = []
    for image, sample in explained_samples(runner):
        images.append(image)
        samples.append(sample)
        rows = select_rows(samples, args.persons, args.attributes)
        if len(rows) == args.persons or len(samples) == max(args.persons, _MOST):
            break
    if not rows:
        sys.exit(
            f"error: of the first {len(samples)} images none has {args.attributes} "
            "attributes with a small true box; ask for fewer --attributes"
        )
    visualizer = PARVisualizer(threshold=args.threshold)
    visualizer.dataset_meta = dict(schema=runner.test_loop.model.head.schema.to_dict())
    drawn = [
        visualizer.add_datasample(str(n), images[n], samples[n], attributes=attributes)
        for n, attributes in rows
    ]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image_grid(drawn, columns=1)).save(args.out)
    print(f"{len(rows)} persons, {len(rows[0][1])} attributes each, in {args.out}")
    if len(rows) < args.persons:
        print(f"no more of the first {len(samples)} images have as much to show")


if __name__ == "__main__":
    main(ARGS)
