"""The arguments that tools share, without packages that take seconds to import.

A tool parses its arguments before it imports the rest, so that ``--help`` and a
mistyped argument are answered at once.
"""

from __future__ import annotations

import argparse
import ast
import os.path as osp
from collections.abc import Sequence
from typing import Any

from mmpar.utils.config_data import read_literal

AUTO = "auto"
"""Value of ``resume``: from the last checkpoint in the work dir, if there is one."""

DATASET_CLASSES = (
    "AttributeListDataset",
    "DukeMTMCAttribute",
    "MSP60K",
    "Market1501Attribute",
    "PA100K",
    "PETA",
    "PETAzs",
    "RAPv1",
    "RAPv2",
    "RAPzs",
    "UPAR",
    "WIDERAttribute",
)
"""The classes that read a release or a user's list."""

_MAP_THRESHOLD = 0.2  # evaluation.functional.DEFAULT_THRESHOLD, which imports SciPy

_FORMER_EXPLAINERS = {
    "grad-cam": "GradCAM",
    "grad-cam-p": "GradCAMP",
    "alm-boxes": "ALMBoxes",
    "ple-points": "PLEPoints",
    "region-boxes": "RegionBoxes",
}
"""Names before the registry's were taken, and what to write now."""


def config_arguments(description: str) -> argparse.ArgumentParser:
    """A parser with config and config options."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("config", help="config file, or the name of a model")
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=ConfigOptions,
        help="override config fields: key=value, e.g. train_cfg.max_epochs=2",
    )
    return parser


def runner_arguments(description: str) -> argparse.ArgumentParser:
    """A parser with config, config options, work dir and launcher."""
    parser = config_arguments(description)
    parser.add_argument(
        "--work-dir", help="folder for logs and checkpoints (work_dirs/CONFIG_NAME)"
    )
    parser.add_argument(
        "--launcher",
        choices=["none", "pytorch", "slurm", "mpi"],
        default="none",
        help="how the processes of a distributed run were started",
    )
    # torch.distributed.launch gives this; torchrun sets the variable LOCAL_RANK.
    parser.add_argument("--local_rank", "--local-rank", type=int, default=0)
    return parser


def explainer_arguments(description: str) -> argparse.ArgumentParser:
    """A parser with what the runner needs, a checkpoint, an explainer, a threshold."""
    parser = runner_arguments(description)
    parser.add_argument(
        "checkpoint", help="checkpoint file, or a work dir: its best checkpoint"
    )
    parser.add_argument(
        "--explainer",
        type=explainer_name,
        metavar="CLASS",
        help="GradCAM (the default), GradCAMP, PLEPoints, RegionBoxes, ALMBoxes or a "
        "registered one of your own; its settings are config options: "
        "test_cfg.explainer.target_layer=backbone.layer3",
    )
    parser.add_argument(
        "--threshold",
        type=float,
        default=_MAP_THRESHOLD,
        help="share of a map's maximum above which pixels belong to the box "
        "(%(default)s)",
    )
    return parser


def add_model_file_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--out``, where a published model is written."""
    parser.add_argument(
        "--out",
        required=True,
        metavar="FILE",
        help="the .safetensors file, whose name gets the weights' hash, or a folder",
    )


def decision_arguments(description: str) -> argparse.ArgumentParser:
    """A parser with a model, its val and test splits, and how thresholds are fitted."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("model", help="published model, work dir or checkpoint file")
    add_model_file_argument(parser)
    parser.add_argument(
        "--config",
        help="config whose val and test splits are used (that of the work dir)",
    )
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=ConfigOptions,
        help="override fields of that config: key=value",
    )
    parser.add_argument(
        "--objective",
        choices=["mA", "F1", "precision"],
        default="mA",
        help="what the thresholds serve best, per attribute (%(default)s)",
    )
    parser.add_argument(
        "--precision",
        type=float,
        help="the wanted one, from 0 to 1, with --objective precision",
    )
    return parser


def explainer_name(name: str) -> str:
    """The name of a registered explainer; for ``type`` of an argument."""
    if name in _FORMER_EXPLAINERS:
        raise argparse.ArgumentTypeError(
            f"{name!r} is now written {_FORMER_EXPLAINERS[name]}"
        )
    return name


def config_names(parser: argparse.ArgumentParser, configs: Sequence[str]) -> list[str]:
    """The file name of each config, without extension; an error if two are equal."""
    names = [osp.splitext(osp.basename(config))[0] for config in configs]
    if len({*names}) < len(names):
        parser.error(f"configs are told apart by their file names, got {names}")
    return names


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say how the annotation of a dataset is read."""
    parser.add_argument(
        "--ann-file",
        nargs="+",
        default=[],
        metavar="FILE",
        help="another annotation file, below the folder; or the lists of "
        "AttributeListDataset: one with a column 'split', or one per split",
    )
    parser.add_argument("--data-prefix", default="", help="folder of the images")
    parser.add_argument(
        "--outside-images",
        choices=["error", "allow"],
        help="listed images outside that folder, by '..', an absolute path or a link "
        "(error)",
    )
    parser.add_argument(
        "--schema",
        help="name of a schema, 'all', or attribute names with commas between them; "
        "default: the evaluated attributes of a release, those that a list names",
    )
    parser.add_argument(
        "--one-hot",
        nargs="+",
        metavar="COLUMN",
        help="multi-class columns of a list: one attribute per value",
    )
    parser.add_argument(
        "--label-map",
        type=_label_map,
        metavar="{-1: 0}",
        help="how labels are written: value to 1, 0, or -1 for unknown",
    )


def _label_map(text: str) -> dict[Any, int]:
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        found = None
    if not isinstance(found, dict):
        raise argparse.ArgumentTypeError(
            f"expected a mapping as in Python, such as '{{-1: 0}}', got {text!r}"
        )
    return found


class ConfigOptions(argparse.Action):
    """MMEngine's ``DictAction``, which also takes ``key=dict(name=...)``.

    A value that cannot be parsed is an error of the command line.
    """

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Add the pairs to the dict that the namespace has."""
        options = dict(getattr(namespace, self.dest, None) or {})
        for pair in values:
            key, equals, value = pair.partition("=")
            if not (key and equals):
                raise argparse.ArgumentError(self, f"expected key=value, got {pair!r}")
            try:
                options[key] = self._value(value)
            except (AssertionError, RecursionError, SyntaxError, ValueError) as error:
                raise argparse.ArgumentError(
                    self,
                    f"cannot read the value of {pair!r} ({error}); write a list as "
                    "[a,b], a dict as \"dict(type='Pretrained',checkpoint='x.pth')\"",
                ) from error
        setattr(namespace, self.dest, options)

    def _value(self, text: str) -> Any:
        if text.startswith(("dict(", "{")):
            return read_literal(ast.parse(text, mode="eval").body)
        from mmengine.config import DictAction  # takes a second

        return DictAction._parse_iterable(text)
