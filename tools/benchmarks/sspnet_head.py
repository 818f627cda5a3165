"""Times SSPNet's pyramid, PLE and head against their straightforward form.

Both forms share weights and input (what ResNet-50 gives at 256x192) and take turns, so
that whatever else the machine does falls on both; on a busy machine the fastest turns
say more than the medians. Prints the largest difference of the logits, then the times,
forward alone and with backward.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from mmengine.config import Config
from torch import Tensor, nn
from turns import turns

sys.path.insert(0, str(Path(__file__).parents[2]))

from mmpar.models import SSPNetHead, SSPNetNeck
from mmpar.registry import MODELS
from tests.oracles.sspnet_whole_maps import sspnet_neck

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
        "straightforward": lambda stages: head(sspnet_neck(neck, stages)),
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
    times = turns(calls, args.repeats)
    plain, fast = (statistics.median(values) for values in times.values())
    best_plain, best_fast = (min(values) for values in times.values())
    print(
        f"{title:18}  straightforward {plain * 1e3:8.1f} ms   mmpar "
        f"{fast * 1e3:8.1f} ms   {plain / fast:.2f} times faster "
        f"({best_plain / best_fast:.2f} by the fastest turns)"
    )


if __name__ == "__main__":
    main()
