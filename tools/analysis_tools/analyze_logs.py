"""Curves of trainings, and two compared: analyze_logs.py WORK_DIR [WORK_DIR].

Two runs pass if the mean relative error of their losses is at most 0.05 or the mean
absolute error at most 0.0002; else the exit status is 1.
"""

import argparse


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work_dirs", nargs="+", help="of one training or of two")
    parser.add_argument(
        "--out", metavar="PNG", help="draw the losses and metrics to this file"
    )
    parser.add_argument(
        "--metrics",
        nargs="+",
        default=["par/mA", "par/instance_f1"],
        help="to draw (%(default)s)",
    )
    args = parser.parse_args()
    if len(args.work_dirs) > 2:
        parser.error("give one work dir, or two to compare")
    return args


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

import sys

from mmpar.utils.atomic import write_atomically
from mmpar.utils.training_logs import compare_losses, read_training_log
from mmpar.visualization.training_curves import draw_training_curves


def main(args: argparse.Namespace) -> int:
    """Draw and compare; 1 if two runs differ too much."""
    try:
        runs = {folder: read_training_log(folder) for folder in args.work_dirs}
        found = compare_losses(*runs.values()) if len(runs) == 2 else None
    except (ValueError, FileNotFoundError) as error:
        sys.exit(f"error: {error}")
    for folder, log in runs.items():
        print(
            f"{folder}: {len(log.losses)} losses, the last {[*log.losses.values()][-1]}"
        )
        for line in log.notes:
            print(line)
        for name in args.metrics:
            if name not in log.metrics:
                print(f"{folder} has no {name}; it has {sorted(log.metrics)}")
    if args.out:
        write_atomically(args.out, draw_training_curves(runs, args.metrics))
        print(f"written: {args.out}")
    if found is None:
        return 0
    for line in found.notes:
        print(line)
    print(
        f"{found.iterations} losses: mean relative error {found.relative:.6f}, mean "
        f"absolute error {found.absolute:.6f}: {'pass' if found.passed else 'FAIL'}"
    )
    return int(not found.passed)


if __name__ == "__main__":
    sys.exit(main(ARGS))
