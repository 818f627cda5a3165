"""Publish a trained model as one file: python publish_model.py WORK_DIR --out FILE."""

import argparse

from mmpar.utils.cli import add_model_file_argument


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "source", help="work dir (the best checkpoint in it), or a checkpoint file"
    )
    add_model_file_argument(parser)
    parser.add_argument(
        "--config",
        help="read this config, instead of the one in the work dir or checkpoint",
    )
    parser.add_argument("--name", help="of the model (the config's)")
    parser.add_argument("--license", help="of the weights (unknown)")
    parser.add_argument(
        "--intended-use", help="what the model is meant for, and what not (unknown)"
    )
    return parser.parse_args()


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

from mmpar.apis.model_files import publish


def main(args: argparse.Namespace) -> None:
    """Publish."""
    path = publish(
        args.source,
        args.out,
        config=args.config,
        name=args.name,
        license=args.license,
        intended_use=args.intended_use,
    )
    print(f"written: {path}")


if __name__ == "__main__":
    main(ARGS)
