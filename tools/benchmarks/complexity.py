"""Parameters, multiply-adds and latency of models, as a Markdown table.

python tools/benchmarks/complexity.py sspnet_r50_pa100k 'alm_*' [--threads 2]
python tools/benchmarks/complexity.py --backbones 'swin-*' r18

Names are those of `tools/list_models.py`, with wildcards. Weights are random. A
multiply-add is two operations of torch's counter, which counts convolutions and matrix
products. Latency is one image from pixels on the device to logits, the median of turns
in random order. With ``--backbones``, files of ``configs/_base_/backbones``, it is one
row for each, of parameters and multiply-adds with each method on images of 256x192.
"""

from __future__ import annotations

import argparse
import functools
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from torch.utils.flop_counter import FlopCounterMode
from turns import turns

from mmpar.apis import get_model, list_models
from mmpar.models.classifiers.par_classifier import keypoint_samples
from mmpar.utils.config import set_image_size
from mmpar.utils.shipped import find_config, shipped_root

MAPS = dict(baseline=1, sspnet=4, alm=3)
"""How many of a backbone's maps, from the coarsest, a method reads."""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*")
    parser.add_argument("--backbones", nargs="+", default=[], metavar="BACKBONE")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    return parser.parse_args()


def main() -> None:
    """Build the models, time them in turns, and print the table."""
    args = parse_args()
    torch.set_num_threads(args.threads)
    if args.backbones:
        print_backbones(args.backbones, args.device)
    if args.models:
        print_models(args)


def print_models(args: argparse.Namespace) -> None:
    """A row for each model."""
    names = [name for pattern in args.models for name in find(pattern)]
    models = {name: build(name, args.device) for name in names}
    calls = {name: functools.partial(call, model) for name, model in models.items()}
    additions = {name: multiply_adds(one) for name, one in calls.items()}
    with torch.no_grad():
        times = turns(calls, args.repeats)
    print(f"torch {torch.__version__}, {args.device}, {args.threads} CPU threads\n")
    print("| model | input | parameters (M) | multiply-adds (G) | latency (ms) |")
    print("|---|---|---|---|---|")
    for name, model in models.items():
        width, height = model._config.image_size
        latency = 1000 * statistics.median(times[name])
        print(
            f"| {name} | {height}x{width} | {parameters(model) / 1e6:.2f} "
            f"| {additions[name] / 1e9:.2f} | {latency:.1f} |"
        )


def print_backbones(patterns: list[str], device: str) -> None:
    """A row for each backbone, with the methods as columns."""
    print("| backbone |" + "".join(f" {method} |" for method in MAPS))
    print("|---|" + "---|" * len(MAPS))
    for backbone in find_backbones(patterns):
        cells = []
        for method in MAPS:
            model = build(with_backbone(method, backbone), device)
            additions = multiply_adds(functools.partial(call, model))
            cells.append(f"{parameters(model) / 1e6:.1f} / {additions / 1e9:.2f}")
        print(f"| {backbone.stem} | {' | '.join(cells)} |", flush=True)


def find_backbones(patterns: list[str]) -> list[Path]:
    """Files of backbones that fit a pattern."""
    folder = shipped_root() / "configs/_base_/backbones"
    found = [file for name in patterns for file in sorted(folder.glob(f"{name}.py"))]
    if not found:
        raise SystemExit(f"no file of {folder} fits {' '.join(patterns)}")
    return found


def with_backbone(method: str, file: Path) -> Config:
    """The config of a method with another backbone, as configs/README.md has it."""
    cfg = Config.fromfile(find_config(f"{method}_r50_pa100k"))
    part = Config.fromfile(file)
    maps = MAPS[method]
    channels = part.channels[-maps:]
    reader = dict(in_channels=channels if maps > 1 else channels[0])
    backbone = dict(part.backbone, out_indices=part.stages[-maps:])
    parts = {"backbone": backbone, "neck" if method == "sspnet" else "head": reader}
    cfg.merge_from_dict(dict(model=parts))
    set_image_size(cfg, (192, 256))
    return cfg


def find(pattern: str) -> list[str]:
    """Names of models that fit a pattern."""
    exact = [name for name in list_models(pattern) if name == pattern]
    found = exact or list_models(pattern)
    if not found:
        raise SystemExit(f"no model fits {pattern!r}; see tools/list_models.py")
    return found


def build(model: str | Config, device: str) -> Any:
    """A model of random weights in evaluation mode."""
    return get_model(model, device=device, backbone=dict(init_cfg=None))


def parameters(model: Any) -> int:
    """How many numbers are trained."""
    return sum(weight.numel() for weight in model.parameters())


def call(model: Any) -> torch.Tensor:
    """Logits of one image, with keypoints that no model finds."""
    width, height = model._config.image_size
    image = torch.zeros(1, 3, height, width, device=next(model.parameters()).device)
    samples = keypoint_samples(np.zeros((1, 17, 3)), width, height)
    try:
        return model(image, samples)
    finally:
        if image.is_cuda:
            torch.cuda.synchronize()


@torch.no_grad()
def multiply_adds(run: Any) -> int:
    """What one call computes."""
    counter = FlopCounterMode(display=False)
    with counter:
        run()
    return counter.get_total_flops() // 2


if __name__ == "__main__":
    main()
