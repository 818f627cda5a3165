"""Draw samples as the model sees them: browse_dataset.py CONFIG [--out sheet.png].

Or as they are, without a config: browse_dataset.py DATASET SRC, where DATASET is a
release's class, or AttributeListDataset for lists of your own (--ann-file all.csv).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmpar.utils.cli import DATASET_CLASSES, add_source_arguments, config_arguments


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = config_arguments(__doc__)
    parser.add_argument(
        "source", nargs="?", help="folder of the release or the lists, after DATASET"
    )
    add_source_arguments(parser)
    parser.add_argument("--partition", type=int, default=0, help="from 0, of a release")
    parser.add_argument(
        "--split", help="(train, or the only one that the annotation has)"
    )
    parser.add_argument("--num", type=int, default=32, help="how many samples (32)")
    parser.add_argument(
        "--out", type=Path, help="image to write (CONFIG_NAME_SPLIT.png)"
    )
    parser.add_argument(
        "--per-page", type=int, default=64, help="more go on pages (64)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of choice and transforms")
    args = parser.parse_args()
    for name in ("num", "per_page"):
        if getattr(args, name) < 1:
            parser.error(f"--{name.replace('_', '-')} is 1 or more")
    args.dataset = args.config  # as the arguments of a source have it
    of_source = (args.ann_file, args.data_prefix, args.schema)
    if args.source is None and any((*of_source, args.one_hot, args.label_map)):
        parser.error("--ann-file and the like go with DATASET SRC, not with a config")
    if args.source is not None and args.dataset not in DATASET_CLASSES:
        parser.error(f"{args.dataset} is none of {DATASET_CLASSES}")
    return args


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import set_random_seed
from PIL import Image
from rich.progress import track

from mmpar.datasets.sources import (
    Part,
    find_parts,
    readable_classes,
    source_arguments,
)
from mmpar.registry import DATASETS
from mmpar.utils.config import read_config
from mmpar.visualization import PARVisualizer, image_grid, to_rgb_image

_COLUMNS = 8


def dataset_of_config(cfg: Config, split: str) -> Any:
    """The dataset of a split with its pipeline."""
    loader = cfg.get(f"{split}_dataloader")
    if not loader:
        raise ValueError(
            f"{cfg.filename} has no {split}_dataloader; give another split"
        )
    init_default_scope(cfg.get("default_scope", "mmpar"))
    return DATASETS.build(loader.dataset)


def part_of_folder(args: argparse.Namespace) -> Part:
    """The split of a release or a list."""
    parts = find_parts(
        readable_classes()[args.dataset],
        partitions=[args.partition],
        **source_arguments(args),
    )
    if len(parts) == 1 and args.split is None:
        return parts[0]
    split = args.split or "train"
    named = {part.split: part for part in parts}
    if split not in named:
        raise ValueError(f"{args.source} has the splits {list(named)}, got {split!r}")
    return named[split]


def drawn_samples(dataset: Any, num: int, seed: int) -> Iterator[np.ndarray]:
    """``num`` samples chosen by ``seed``, or all if there are fewer, by number."""
    set_random_seed(seed)
    visualizer = PARVisualizer()
    visualizer.dataset_meta = dataset.metainfo
    chosen = np.random.default_rng(seed).permutation(len(dataset))[:num]
    for row in np.sort(chosen):
        packed = dataset[int(row)]
        sample = packed["data_samples"]
        name = str(sample.get("img_path"))
        image = to_rgb_image(packed["inputs"], name)
        yield visualizer.add_datasample(name, image, sample)


def page_path(out: Path, page: int, pages: int) -> Path:
    """``out``, with a number when there are several pages."""
    return out if pages == 1 else out.with_name(f"{out.stem}_{page}{out.suffix}")


def main(args: argparse.Namespace) -> None:
    """Draw the pages."""
    if args.source is None:
        split = args.split or "train"
        dataset = dataset_of_config(read_config(args), split)
    else:
        part = part_of_folder(args)
        split, pipeline = part.split, ["LoadPersonImage", "PackPARInputs"]
        dataset = part.open(pipeline=[dict(type=name) for name in pipeline])
    out = args.out or Path(f"{Path(args.config).stem}_{split}.png")
    num = min(args.num, len(dataset))
    drawn = list(track(drawn_samples(dataset, num, args.seed), "samples", num))
    pages = [drawn[i : i + args.per_page] for i in range(0, num, args.per_page)]
    out.parent.mkdir(parents=True, exist_ok=True)
    for number, page in enumerate(pages, start=1):
        path = page_path(out, number, len(pages))
        Image.fromarray(image_grid(page, min(_COLUMNS, len(page)))).save(path)
        print(f"{len(page)} of {len(dataset)} samples in {path}")


if __name__ == "__main__":
    main(ARGS)
