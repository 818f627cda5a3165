"""Times SSPNet's pyramid, PLE and head with every scale and place prior.

All forms get the same input (what ResNet-50 gives at 256x192) and take turns, in random
order, so that whatever else the machine does falls on all; on a busy machine the
fastest turns say more than the medians. Prints milliseconds, forward alone and with
backward, and the ratio to the fixed scales with the block form. "learned, search" reads
all levels, as in the first part of training; "learned, chosen" one a region, as after
it and in eval.
"""

from __future__ import annotations

import random
import statistics
from typing import Any

import torch
from mmengine.config import Config
from sspnet_head import CONFIG, Form, features, parse_args, seconds, with_backward
from torch import Tensor, nn

from mmpar.models import SSPNetHead, SSPNetNeck
from mmpar.registry import MODELS

VARIANTS: dict[str, dict[str, Any]] = {
    "fixed, block": dict(),
    "learned, chosen, block": dict(scale=dict(mode="learned")),
    "learned, search, block": dict(scale=dict(mode="learned")),
    "fixed, sparse 1/2": dict(ple=dict(kind="sparse", ratio=2)),
    "fixed, keypoint": dict(ple=dict(kind="keypoint")),
    "fixed, none": dict(ple=dict(kind="none")),
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
        report("forward", forms, stages, args.repeats)
    for stage in stages:
        stage.requires_grad_()
    train = {name: with_backward(form) for name, form in forms.items()}
    report("forward + backward", train, stages, args.repeats)


def build(batch_size: int, device: str) -> tuple[dict[str, Form], list[Tensor]]:
    """One form a variant, and the stages that all of them read."""
    model = Config.fromfile(CONFIG).model
    forms: dict[str, Form] = {}
    for name, variant in VARIANTS.items():
        torch.manual_seed(0)
        settings = Config(dict(model.neck))
        settings.merge_from_dict(variant)
        neck = MODELS.build(settings.to_dict()).to(device).train()
        head = MODELS.build(model.head, default_args=dict(schema="pa100k")).to(device)
        set_scales(neck, chosen="chosen" in name)
        if hasattr(neck.ple, "offset"):  # offsets of some pixels, as after training
            nn.init.normal_(neck.ple.offset.weight, std=0.05)
        forms[name] = form(neck, head.eval(), batch_size, device)
    return forms, features(neck, batch_size, device)


def set_scales(neck: SSPNetNeck, chosen: bool) -> None:
    """Learned scales that agree with the config's levels, chosen or not."""
    if neck.scale_selection is None:
        return
    for logits, region in zip(neck.scale_selection.logits.data, neck.regions):
        logits[region.level - 1] = 1
    if chosen:
        neck.scale_selection.commit()


def form(neck: SSPNetNeck, head: SSPNetHead, batch_size: int, device: str) -> Form:
    """Neck and head; keypoints, if needed, anywhere in the picture and visible."""
    keypoints = torch.rand(batch_size, 17, 3, device=device)
    return lambda stages: head(neck(stages, keypoints))


def report(
    title: str, forms: dict[str, Form], stages: list[Tensor], repeats: int
) -> None:
    """Time the forms in turns; print medians, fastest turns and their ratios."""
    times: dict[str, list[float]] = {name: [] for name in forms}
    shuffled = random.Random(0)
    for turn in range(repeats + 1):
        # Whoever comes after a form that fills the caches is slower by some percent.
        for name in shuffled.sample(list(forms), len(forms)):
            elapsed = seconds(forms[name], stages)
            if turn > 0:  # the first turn warms up
                times[name].append(1e3 * elapsed)
    first = next(iter(times.values()))
    print(title)
    for name, values in times.items():
        ratio = statistics.median(values) / statistics.median(first)
        best = min(values) / min(first)
        print(
            f"  {name:24} median {statistics.median(values):8.1f} ms ({ratio:.2f})"
            f"   fastest {min(values):8.1f} ms ({best:.2f})"
        )


if __name__ == "__main__":
    main()
