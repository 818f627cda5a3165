"""Judge where a model sees attributes, on a test split with true boxes.

python tools/analysis_tools/localize.py CONFIG CHECKPOINT --explainer grad-cam-p
"""

import mmpar  # noqa: F401  checks the installation, secures checkpoint loading
from mmpar.engine import (
    build_runner,
    explainer_arguments,
    explainer_config,
    leave_processes,
)


def main() -> None:
    """Explain and judge."""
    parser = explainer_arguments(__doc__)
    parser.add_argument("--out", metavar="JSON", help="write all values to this file")
    args = parser.parse_args()
    build_runner(explainer_config(args, "localize", out_file=args.out)).test()
    leave_processes()


if __name__ == "__main__":
    main()
