"""Calibrate the scores of a model on val, and publish it with its decision rule.

python tools/analysis_tools/calibrate.py WORK_DIR --out FILE --diagrams FILE.png

Fitted are the scores (per attribute, then within exclusive sets), thresholds for them,
and when the answer is "not sure". What they are worth is reported on test.
"""

import argparse

from mmpar.utils.cli import decision_arguments


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = decision_arguments(__doc__)
    parser.add_argument(
        "--method",
        choices=["platt", "temperature"],
        default="platt",
        help="of each attribute: with a bias or without (%(default)s)",
    )
    parser.add_argument(
        "--coverage",
        type=float,
        default=0.9,
        help='how often the truth is among the answers, "not sure" for both '
        "(%(default)s)",
    )
    parser.add_argument(
        "--diagrams", metavar="PNG", help="draw the reliability on test to this file"
    )
    return parser.parse_args()


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
        diagrams=args.diagrams,
        objective=args.objective,
        precision=args.precision,
        method=args.method,
        coverage=args.coverage,
    )
    print(f"written: {path}")


if __name__ == "__main__":
    main(ARGS)
