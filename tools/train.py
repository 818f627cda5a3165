"""Train a model: python tools/train.py CONFIG."""

import argparse

from mmpar.utils.cli import AUTO, runner_arguments


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = runner_arguments(__doc__)
    parser.add_argument(
        "--resume",
        nargs="?",
        const=AUTO,
        metavar="CHECKPOINT",
        help="resume from this checkpoint, or from the last one in the work dir",
    )
    parser.add_argument(
        "--amp",
        action="store_true",
        help="mixed precision: bfloat16 where the device has it, else float16 on a GPU",
    )
    parser.add_argument(
        "--no-validate", action="store_true", help="do not validate while training"
    )
    parser.add_argument(
        "--auto-scale-lr",
        action="store_true",
        help="scale the learning rate with the total batch size, from the config's "
        "auto_scale_lr.base_batch_size",
    )
    return parser.parse_args()


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

from mmengine.config import Config
from mmengine.device import get_device

from mmpar.engine import mixed_precision, running
from mmpar.utils.config import read_runner_config


def read_config(args: argparse.Namespace) -> Config:
    """Read the config and merge the command line into it.

    Raises:
        ValueError: ``--auto-scale-lr`` without a batch size to scale from, or ``--amp``
            on a device that would be slower by it.
    """
    cfg = read_runner_config(args)
    if args.amp:
        cfg.optim_wrapper.type = mixed_precision(get_device())
        if cfg.optim_wrapper.type == "BFloat16OptimWrapper":
            for name in ("loss_scale", "dtype"):  # of AmpOptimWrapper alone
                cfg.optim_wrapper.pop(name, None)
    if args.resume:
        cfg.resume = args.resume
    if args.no_validate:
        cfg.val_dataloader = cfg.val_evaluator = cfg.val_cfg = None
        if cfg.get("protocol"):  # a config that names none still names none
            cfg.protocol = "fixed-schedule"
    if args.auto_scale_lr:
        if "base_batch_size" not in (cfg.get("auto_scale_lr") or {}):
            raise ValueError(
                f"--auto-scale-lr: {args.config} does not say for which total batch "
                "size its learning rate is; add auto_scale_lr=dict(base_batch_size=64)"
            )
        cfg.auto_scale_lr.enable = True
    return cfg


def main(args: argparse.Namespace) -> None:
    """Train."""
    with running(read_config(args)) as runner:
        runner.train()


if __name__ == "__main__":
    main(ARGS)
