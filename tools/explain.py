r"""Draw where a model sees attributes: python tools/explain.py MODEL IMAGE... --out X.

python tools/explain.py model.safetensors person.jpg --attributes Hat Backpack \
    --out person.png

X is an image file for one person, an .html page for many, or a folder.
"""

import argparse


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="a published file, a checkpoint or a work dir")
    parser.add_argument("images", nargs="+", help="files, folders or glob patterns")
    parser.add_argument("--out", required=True, help="image file, .html page or folder")
    parser.add_argument(
        "--attributes",
        nargs="+",
        metavar="NAME",
        help="attributes to explain; by default those present in each image",
    )
    parser.add_argument("--explainer", help="registered name, such as GradCAM")
    parser.add_argument("--device", help="by default the best there is")
    return parser.parse_args()


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

from mmpar.apis.explaining import explain_to_files
from mmpar.apis.inferencer import PARInferencer


def main(args: argparse.Namespace) -> None:
    """Explain and draw."""
    drawn, failed = explain_to_files(
        PARInferencer(args.model, args.device),
        args.images,
        args.out,
        args.attributes,
        explainer=args.explainer,
    )
    unreadable = f", {failed} could not be read" if failed else ""
    print(f"{drawn} person{'s' * (drawn != 1)} drawn in {args.out}{unreadable}")


if __name__ == "__main__":
    main(ARGS)
