"""Throughput of whole models in images/s, side by side.

python tools/benchmarks/throughput.py CONFIG ... [--checkpoints WORK_DIR ...]

Every model gets the first batch of its config's test split. "predict" is a forward pass
in eval mode, "train" one with loss and backward, both without loading images and
without the optimizer. Models take turns in random order; prints the medians as a
Markdown table.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner, load_checkpoint
from torch import nn
from turns import turns

from mmpar.registry import MODELS
from mmpar.utils.cli import config_names
from mmpar.utils.config import use_checkpoint

Form = Callable[[], Any]


def main() -> None:
    """Time all models both ways and print the table."""
    args = parse_args()
    torch.set_num_threads(args.threads)
    predict: dict[str, Form] = {}
    train: dict[str, Form] = {}
    images: dict[str, int] = {}
    for name, config, checkpoint in zip(args.names, args.configs, args.checkpoints):
        model, data = model_and_batch(config, checkpoint, args)
        predict[name] = partial(predict_once, model, data)
        train[name] = partial(train_once, model, data)
        images[name] = len(data["inputs"])
    print(
        f"batch {args.batch_size}, {args.device}, {torch.get_num_threads()} threads, "
        f"medians of {args.repeats} turns, images/s"
    )
    print("| config | predict | train |\n|---|---|---|")
    columns = [turns(forms, args.repeats) for forms in (predict, train)]
    for name in predict:
        rates = [images[name] / statistics.median(times[name]) for times in columns]
        print(f"| {name} | " + " | ".join(f"{rate:.1f}" for rate in rates) + " |")


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("configs", nargs="+")
    parser.add_argument(
        "--checkpoints",
        nargs="+",
        help="a file or work dir for each config, since learned scales are in it "
        "(random weights)",
    )
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    args = parser.parse_args()
    args.names = config_names(parser, args.configs)
    args.checkpoints = args.checkpoints or [None] * len(args.configs)
    if len(args.checkpoints) != len(args.configs):
        parser.error(
            f"{len(args.configs)} configs, but {len(args.checkpoints)} checkpoints"
        )
    return args


def model_and_batch(
    config: str, checkpoint: str | None, args: argparse.Namespace
) -> tuple[nn.Module, dict[str, Any]]:
    """A config's model and the first batch of its test split, preprocessed."""
    cfg = Config.fromfile(config)
    init_default_scope(cfg.default_scope)
    cfg.model.backbone.init_cfg = None
    if checkpoint is not None:
        use_checkpoint(cfg, checkpoint)
    model = MODELS.build(cfg.model)
    model.head.set_positive_ratio([0.5] * len(model.head.schema))
    if checkpoint is not None:
        load_checkpoint(model, cfg.load_from, "cpu", strict=True)
    model.to(args.device)
    loader = cfg.test_dataloader
    loader.update(batch_size=args.batch_size, num_workers=0, persistent_workers=False)
    batch = next(iter(Runner.build_dataloader(loader)))
    return model, model.data_preprocessor(batch)


@torch.no_grad()
def predict_once(model: nn.Module, data: dict[str, Any]) -> None:
    """Logits in eval mode."""
    model.eval()
    model(**data, mode="tensor")


def train_once(model: nn.Module, data: dict[str, Any]) -> None:
    """Losses and gradients in training mode."""
    model.train()
    losses = model(**data, mode="loss")
    model.parse_losses(losses)[0].backward()
    model.zero_grad()


if __name__ == "__main__":
    main()
