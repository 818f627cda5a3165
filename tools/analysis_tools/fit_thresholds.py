"""Fit the thresholds of a model on val, and publish it with them.

python tools/analysis_tools/fit_thresholds.py WORK_DIR --out FILE --objective F1

What they are worth is reported on test. Calibration and "not sure" of a published model
stay as they are; calibrate.py fits them.
"""

import argparse

from mmpar.utils.cli import decision_arguments


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    return decision_arguments(__doc__).parse_args()


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

from mmpar.apis.fit_decisions import fit_model_decisions


def main(args: argparse.Namespace) -> None:
    """Fit, report and publish."""
    path = fit_model_decisions(
        args.model,
        args.out,
        config=args.config,
        options=args.cfg_options,
        objective=args.objective,
        precision=args.precision,
    )
    print(f"written: {path}")


if __name__ == "__main__":
    main(ARGS)
