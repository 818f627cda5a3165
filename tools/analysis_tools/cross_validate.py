"""Predict each training image without having trained on it: cross_validate.py CONFIG.

Trains the config once per fold, persons kept together, and writes one .json of all
predictions, as check_dataset.py --predictions takes it. An interrupted call continues
where it was. The training set is that of the config: --cfg-options
train_dataloader.dataset.split=trainval takes validation's images, too.
"""

import argparse
from pathlib import Path

from mmpar.utils.cli import config_arguments


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = config_arguments(__doc__)
    parser.add_argument("--folds", type=int, default=5, help="2 or more (%(default)s)")
    parser.add_argument(
        "--work-dir", help="folder of the trainings (work_dirs/CONFIG_NAME_folds)"
    )
    parser.add_argument(
        "--out", metavar="FILE", help="the .json (predictions.json in the work dir)"
    )
    args = parser.parse_args()
    if args.folds < 2:
        parser.error(f"--folds is 2 or more, got {args.folds}")
    args.work_dir = args.work_dir or f"work_dirs/{Path(args.config).stem}_folds"
    args.out = args.out or f"{args.work_dir}/predictions.json"
    if not args.out.endswith(".json"):
        parser.error(f"--out is a .json file, got {args.out}")
    return args


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

from mmpar.apis.cross_validation import cross_validate

if __name__ == "__main__":
    found = cross_validate(ARGS, tools=Path(__file__).parents[1])
    print(f"{len(found.img_path)} predictions in {ARGS.out}")
