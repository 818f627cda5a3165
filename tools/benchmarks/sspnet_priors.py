"""Times SSPNet's pyramid, PLE and head with every scale and place prior.

All forms get the same input (what ResNet-50 gives at 256x192) and take turns, in random
order, so that whatever else the machine does falls on all; on a busy machine the
fastest turns say more than the medians. Prints milliseconds, forward alone and with
backward, and the ratio to the fixed scales with the block form. "learned, search" reads
all levels, as in the first part of training; "learned, chosen" one a region, as after
it and in eval.
"""

from __future__ import annotations

import argparse
import statistics
from functools import partial
from typing import Any

import torch
from mmengine.config import Config
from sspnet_head import CONFIG, Form, features, parse_args, with_backward
from torch import Tensor, nn
from turns import turns

from mmpar.models import SSPNetHead, SSPNetNeck
from mmpar.registry import MODELS

VARIANTS: dict[str, dict[str, Any]] = {
    "fixed, block": dict(),
    "learned, chosen, block": dict(scale=dict(mode="learned")),
    "learned, search, block": dict(scale=dict(mode="learned")),
    "fixed, sparse 1/2": dict(ple=dict(type="SparsePLE", ratio=2)),
    "fixed, keypoint": dict(ple=dict(type="KeypointPLE")),
    "fixed, none": dict(ple=dict(type="IdentityPLE")),
}


def main() -> None:
    """Print the comparison."""
    args = parse_args(__doc__)
    torch.set_num_threads(args.threads)
    forms, stages = build(args.batch_size, args.device)
    print(
        f"pyramid + PLE + head, batch {args.batch_size}, {args.device}, "
        f"{torch.get_num_threads()} threads, {args.repeats} turns"
    )
    with torch.no_grad():
        report("forward", forms, stages, args)
    for stage in stages:
        stage.requires_grad_()
    train = {name: with_backward(form) for name, form in forms.items()}
    report("forward + backward", train, stages, args)


def build(batch_size: int, device: str) -> tuple[dict[str, Form], list[Tensor]]:
    """One form per variant, and the stages that all of them read."""
    model = Config.fromfile(CONFIG).model
    forms: dict[str, Form] = {}
    for name, variant in VARIANTS.items():
        torch.manual_seed(0)
        parts = dict(regions=model.regions, schema="pa100k")
        settings = {**model.neck, **variant, "regions": model.regions}
        neck = MODELS.build(settings).to(device).train()
        head = MODELS.build(model.head, default_args=parts).to(device)
        set_scales(neck, chosen="chosen" in name)
        if hasattr(neck.ple, "offset"):  # offsets of some pixels, as after training
            nn.init.normal_(neck.ple.offset.weight, std=0.05)
        forms[name] = form(neck, head.eval(), batch_size, device)
    return forms, features(neck, batch_size, device)


def set_scales(neck: SSPNetNeck, chosen: bool) -> None:
    """Learned scales that agree with the config's levels, chosen or not."""
    if neck.scale_selection is None:
        return
    for region in neck.regions:
        scale = neck.scale_selection.regions[region.name]
        scale.logits.data[region.level - 1] = 1
    if chosen:
        neck.scale_selection.commit()


def form(neck: SSPNetNeck, head: SSPNetHead, batch_size: int, device: str) -> Form:
    """Neck and head; keypoints, if needed, anywhere in the image and visible."""
    keypoints = torch.rand(batch_size, 17, 3, device=device)
    return lambda stages: head(neck(stages, keypoints))


def report(
    title: str, forms: dict[str, Form], stages: list[Tensor], args: argparse.Namespace
) -> None:
    """Time the forms in turns; print medians, fastest turns and their ratios."""
    calls = {name: partial(form, stages) for name, form in forms.items()}
    times = turns(calls, args.repeats)
    first = next(iter(times.values()))
    print(title)
    for name, values in times.items():
        ratio = statistics.median(values) / statistics.median(first)
        best = min(values) / min(first)
        print(
            f"  {name:24} median {1e3 * statistics.median(values):8.1f} ms "
            f"({ratio:.2f})   fastest {1e3 * min(values):8.1f} ms ({best:.2f})"
        )


if __name__ == "__main__":
    main()
