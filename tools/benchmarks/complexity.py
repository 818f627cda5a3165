"""Parameters, multiply-adds and latency of models, as a Markdown table.

python tools/benchmarks/complexity.py sspnet_r50_pa100k 'alm_*' [--threads 2]

Names are those of `tools/list_models.py`, with wildcards. Weights are random. A
multiply-add is two operations of torch's counter, which counts convolutions and matrix
products. Latency is one image from pixels on the device to logits, the median of turns
in random order.
"""

from __future__ import annotations

import argparse
import functools
import statistics
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode
from turns import turns

from mmpar.apis import get_model, list_models
from mmpar.models.classifiers.par_classifier import keypoint_samples


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    return parser.parse_args()


def main() -> None:
    """Build the models, time them in turns, and print the table."""
    args = parse_args()
    torch.set_num_threads(args.threads)
    names = [name for pattern in args.models for name in find(pattern)]
    models = {name: build(name, args.device) for name in names}
    calls = {name: functools.partial(call, model) for name, model in models.items()}
    with torch.no_grad():
        additions = {name: multiply_adds(one) for name, one in calls.items()}
        times = turns(calls, args.repeats)
    print(f"torch {torch.__version__}, {args.device}, {args.threads} CPU threads\n")
    print("| model | input | parameters (M) | multiply-adds (G) | latency (ms) |")
    print("|---|---|---|---|---|")
    for name, model in models.items():
        width, height = model._config.image_size
        weights = sum(weight.numel() for weight in model.parameters())
        latency = 1000 * statistics.median(times[name])
        print(
            f"| {name} | {height}x{width} | {weights / 1e6:.2f} "
            f"| {additions[name] / 1e9:.2f} | {latency:.1f} |"
        )


def find(pattern: str) -> list[str]:
    """Names of models that fit a pattern."""
    exact = [name for name in list_models(pattern) if name == pattern]
    found = exact or list_models(pattern)
    if not found:
        raise SystemExit(f"no model fits {pattern!r}; see tools/list_models.py")
    return found


def build(name: str, device: str) -> Any:
    """A model of random weights in evaluation mode."""
    return get_model(name, device=device, backbone=dict(init_cfg=None))


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


def multiply_adds(run: Any) -> int:
    """What one call computes."""
    counter = FlopCounterMode(display=False)
    with counter:
        run()
    return counter.get_total_flops() // 2


if __name__ == "__main__":
    main()
