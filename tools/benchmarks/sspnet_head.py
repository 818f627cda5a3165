"""Times SSPNet's pyramid, PLE and head against their straightforward form.

Both forms share weights and input (what ResNet-50 gives at 256x192) and take turns, so
that whatever else the machine does falls on both; on a busy machine the fastest turns
say more than the medians. Prints the largest difference of the logits, then the times,
forward alone and with backward.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from mmengine.config import Config
from torch import Tensor, nn
from turns import turns

from mmpar.models import SSPNetHead, SSPNetNeck
from mmpar.models.layers import BlockPLE, FeaturePyramid
from mmpar.registry import MODELS

CONFIG = Path(__file__).parents[2] / "configs/_base_/models/sspnet_r50.py"
IMAGE_SIZE = (256, 192)
STRIDES = (4, 8, 16, 32)

Form = Callable[[list[Tensor]], Tensor]


def main() -> None:
    """Print the comparison."""
    args = parse_args(__doc__)
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    neck, head = build(args.device)
    stages = features(neck, args.batch_size, args.device)
    forms: dict[str, Form] = {
        "straightforward": lambda stages: head(plain_neck(neck, stages)),
        "mmpar": lambda stages: head(neck(stages)),
    }
    print(
        f"pyramid + PLE + head, batch {args.batch_size}, {args.device}, "
        f"{torch.get_num_threads()} threads, median of {args.repeats} turns"
    )
    with torch.no_grad():
        plain, fast = (form(stages) for form in forms.values())
        print(
            f"logits up to {plain.abs().max():.3g}, "
            f"largest difference {(plain - fast).abs().max():.2g}"
        )
        report("forward", forms, stages, args)
    train = {name: with_backward(form) for name, form in forms.items()}
    for stage in stages:
        stage.requires_grad_()
    report("forward + backward", train, stages, args)


def parse_args(description: str | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    return parser.parse_args()


def build(device: str) -> tuple[SSPNetNeck, SSPNetHead]:
    """Neck and head of the config, with offsets of some pixels, as after training."""
    model = Config.fromfile(CONFIG).model
    regions = dict(regions=model.regions)
    neck = MODELS.build(model.neck, default_args=regions)
    head = MODELS.build(model.head, default_args=dict(schema="pa100k", **regions))
    nn.init.normal_(neck.ple.offset.weight, std=0.05)
    return neck.to(device).eval(), head.to(device).eval()


def features(neck: SSPNetNeck, batch_size: int, device: str) -> list[Tensor]:
    """Random stages ``(B, C_l, H_l, W_l)``, positive as after a ReLU."""
    height, width = IMAGE_SIZE
    return [
        torch.rand(
            (batch_size, lateral.in_channels, height // stride, width // stride),
            device=device,
        )
        for lateral, stride in zip(neck.pyramid.laterals, STRIDES)
    ]


def plain_neck(neck: SSPNetNeck, stages: list[Tensor]) -> dict[str, Tensor]:
    """Whole levels smoothed, regions cut out of them, then PLE."""
    levels = plain_pyramid(neck.pyramid, stages)
    outputs = {}
    for region in neck.regions:
        level = levels[region.level - 1]
        start, stop = region.row_range(level.shape[2])
        outputs[region.name] = plain_ple(neck.ple, level[:, :, start:stop])
    return outputs


def plain_pyramid(pyramid: FeaturePyramid, stages: list[Tensor]) -> list[Tensor]:
    """Every level, whole; the coarsest is not smoothed."""
    merged = [lateral(x) for lateral, x in zip(pyramid.laterals, stages)]
    for i in reversed(range(len(merged) - 1)):
        size = merged[i].shape[2:]
        merged[i] = merged[i] + F.interpolate(merged[i + 1], size, mode="bilinear")
    smoothed = [smooth(x) for smooth, x in zip(pyramid.smooths, merged)]
    return [*smoothed, merged[-1]]


def plain_ple(ple: BlockPLE, region: Tensor) -> Tensor:
    """One turn of the loop for each sampling point."""
    height, width = region.shape[2:]
    values = ple.projection(region)
    offsets = ple.offset(region)
    weights = ple.weight(region).softmax(dim=1)
    y, x = torch.meshgrid(
        torch.arange(height, device=region.device),
        torch.arange(width, device=region.device),
        indexing="ij",
    )
    output = torch.zeros_like(values)
    for k in range(ple.num_points):
        at_x = (2 * (x + offsets[:, 2 * k]) + 1) / width - 1
        at_y = (2 * (y + offsets[:, 2 * k + 1]) + 1) / height - 1
        grid = torch.stack((at_x, at_y), dim=-1)
        sampled = F.grid_sample(values, grid, align_corners=False)
        output = output + weights[:, k : k + 1] * sampled
    return output


def with_backward(form: Form) -> Form:
    def run(stages: list[Tensor]) -> Tensor:
        loss = form(stages).square().sum()
        loss.backward()
        return loss.detach()

    return run


def report(
    title: str, forms: dict[str, Form], stages: list[Tensor], args: argparse.Namespace
) -> None:
    """Time the forms in turns; print medians, their ratio and that of the fastest."""
    calls = {name: partial(form, stages) for name, form in forms.items()}
    times = turns(calls, args.repeats, args.device)
    plain, fast = (statistics.median(values) for values in times.values())
    best_plain, best_fast = (min(values) for values in times.values())
    print(
        f"{title:18}  straightforward {plain * 1e3:8.1f} ms   mmpar "
        f"{fast * 1e3:8.1f} ms   {plain / fast:.2f} times faster "
        f"({best_plain / best_fast:.2f} by the fastest turns)"
    )


if __name__ == "__main__":
    main()
