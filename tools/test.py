"""Test a model: python tools/test.py CONFIG CHECKPOINT."""

import argparse
import glob
import os
import os.path as osp

from mmengine.config import Config, DictAction
from mmengine.runner import Runner

import mmpar  # noqa: F401  checks the installation, secures checkpoint loading
from mmpar.engine import prepare_cpu_launch


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", help="config file")
    parser.add_argument(
        "checkpoint", help="checkpoint file, or a work dir: its best checkpoint"
    )
    parser.add_argument("--work-dir", help="folder for logs")
    parser.add_argument(
        "--out",
        metavar="FILE",
        help="write image path, scores and labels of every image to this .csv or .json",
    )
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=DictAction,
        help="override config fields: key=value",
    )
    parser.add_argument(
        "--launcher",
        choices=["none", "pytorch", "slurm", "mpi"],
        default="none",
        help="how the processes of a distributed run were started",
    )
    # torch.distributed.launch of torch < 2.0 gives this; torchrun sets LOCAL_RANK.
    parser.add_argument("--local_rank", "--local-rank", type=int, default=0)
    args = parser.parse_args()
    os.environ.setdefault("LOCAL_RANK", str(args.local_rank))
    return args


def find_checkpoint(path: str) -> str:
    """The file itself, or the one best checkpoint of a work dir."""
    if not osp.isdir(path):
        return path
    found = sorted(glob.glob(osp.join(glob.escape(path), "best_*.pth")))
    if len(found) != 1:
        raise FileNotFoundError(
            f"the work dir {path} holds {len(found)} best checkpoints {found}; "
            "name the checkpoint file to test"
        )
    return found[0]


def load_config(args: argparse.Namespace) -> Config:
    """Read the config and merge the command line into it."""
    cfg = Config.fromfile(args.config)
    cfg.launcher = args.launcher
    cfg.load_from = find_checkpoint(args.checkpoint)
    # The checkpoint brings every weight; do not fetch the pre-trained ones first.
    cfg.model.backbone.init_cfg = None
    if args.cfg_options:
        cfg.merge_from_dict(args.cfg_options)
    if args.work_dir:
        cfg.work_dir = args.work_dir
    elif not cfg.get("work_dir"):
        cfg.work_dir = osp.join("work_dirs", osp.splitext(osp.basename(args.config))[0])
    if args.out:
        evaluators = cfg.test_evaluator
        evaluators = evaluators if isinstance(evaluators, list) else [evaluators]
        dump = dict(type="DumpPredictions", out_file=args.out)
        cfg.test_evaluator = evaluators + [dump]
    return cfg


def main() -> None:
    """Test."""
    cfg = load_config(parse_args())
    prepare_cpu_launch(cfg)
    Runner.from_cfg(cfg).test()


if __name__ == "__main__":
    main()
