"""Convert a checkpoint of the Strong Baseline's code (Rethinking_of_PAR) to mmpar's.

python tools/model_converters/strong_baseline_to_mmpar.py ckpt_max.pth baseline.pth \
    --schema pa100k --data dataset_all.pkl
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", help="file of the Strong Baseline's code (.pth)")
    parser.add_argument("output", help="file to write")
    parser.add_argument(
        "--schema", required=True, help="peta, pa100k, ...: what it was trained on"
    )
    parser.add_argument(
        "--data",
        required=True,
        help="the dataset_*.pkl it was trained on: names the logits",
    )
    return parser.parse_args()


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

from mmpretrain.models import ResNet
from torch import Tensor

from mmpar.datasets.formats.pickles import read_pickle
from mmpar.models import LinearPARHead
from mmpar.models.weights import weights_of
from mmpar.structures import AttributeSchema, build_schema
from mmpar.utils.checkpoint_files import load_from_local, save_weights

_BACKBONE, _LINEAR, _NORM = "backbone.", "classifier.logits.0.", "classifier.logits.1."
_NORM_EPS = 1e-5
_DEPTHS = (18, 34, 50, 101, 152)


def convert_strong_baseline(
    checkpoint: Mapping[str, Any], schema: AttributeSchema, outputs: Sequence[str]
) -> dict[str, Tensor]:
    """Rename the tensors, and put the classifier's rows into the schema's order.

    Names as in https://github.com/valencebond/Rethinking_of_PAR (models/base_block.py,
    tools/utils.py): weights under ``state_dicts``, ``backbone.*`` of torchvision's
    ResNet and ``classifier.logits.0``, a linear layer. With ``BN: True`` a
    normalisation of the logits follows as ``classifier.logits.1``; in evaluation it is
    linear, too, and goes into the layer.

    Args:
        checkpoint: As the code saved it.
        schema: Of the data set that it was trained on; carried along.
        outputs: Attribute of each logit, see :func:`trained_order`.

    Returns:
        State dict of an ``ImageClassifier`` of ResNet and LinearPARHead. The positive
        ratios are NaN: evaluation does not need them, training sets them.

    Raises:
        ValueError: Tensors or attributes are missing, or left over.
    """
    if "state_dicts" in checkpoint:
        checkpoint = dict(state_dict=checkpoint["state_dicts"])
    source = weights_of(checkpoint, "given")
    backbone = {k: v for k, v in source.items() if k.startswith(_BACKBONE)}
    _require_resnet(backbone)
    classifier = {k: v for k, v in source.items() if k not in backbone}
    weight, bias = _classifier(classifier)
    rows = _rows(schema, outputs, len(bias))
    head = LinearPARHead(schema, in_channels=weight.shape[1]).state_dict()
    head.update({"classifier.weight": weight[rows], "classifier.bias": bias[rows]})
    return {**backbone, **{f"head.{key}": value for key, value in head.items()}}


def trained_order(path: str) -> list[str]:
    """The attributes in the order of the logits, from the pickle that was trained on.

    The code trains on the columns ``label_idx.eval`` of ``label``: in an order of its
    own (``group_order``), not in that of ``attr_name``.

    Raises:
        ValueError: The pickle lacks them.
    """
    content = read_pickle(path)
    try:
        names, chosen = content["attr_name"], content["label_idx"]["eval"]
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"{path} has no attr_name and label_idx.eval, expected the dataset_*.pkl "
            "that the checkpoint was trained on"
        ) from error
    return [str(names[index]) for index in chosen]


def _require_resnet(backbone: Mapping[str, Tensor]) -> None:
    found = {key.removeprefix(_BACKBONE): v.shape for key, v in backbone.items()}
    for depth in _DEPTHS:
        wanted = ResNet(depth, style="pytorch").state_dict()
        if found == {key: value.shape for key, value in wanted.items()}:
            return
    raise ValueError(
        f"the {len(found)} tensors under backbone. are those of no ResNet of depth "
        f"{', '.join(map(str, _DEPTHS))} (first: {list(found)[:3]}); other backbones "
        "are not converted"
    )


def _classifier(found: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Weight and bias of the linear layer, with the normalisation in it."""
    needed = {f"{_LINEAR}weight", f"{_LINEAR}bias"}
    norm = {f"{_NORM}{k}" for k in ("weight", "bias", "running_mean", "running_var")}
    counter = f"{_NORM}num_batches_tracked"
    if found.keys() - {counter} not in (needed, needed | norm):
        raise ValueError(
            f"besides the backbone the checkpoint holds {sorted(found)}, expected the "
            "linear classifier's classifier.logits.0 and maybe classifier.logits.1"
        )
    weight, bias = found[f"{_LINEAR}weight"], found[f"{_LINEAR}bias"]
    if f"{_NORM}weight" not in found:
        return weight, bias
    mean, variance = found[f"{_NORM}running_mean"], found[f"{_NORM}running_var"]
    scale = found[f"{_NORM}weight"] / (variance + _NORM_EPS).sqrt()
    return weight * scale[:, None], (bias - mean) * scale + found[f"{_NORM}bias"]


def _rows(schema: AttributeSchema, outputs: Sequence[str], logits: int) -> list[int]:
    if len(outputs) != logits or {*outputs} != {*schema.names}:
        differ = sorted({*outputs} ^ {*schema.names})
        raise ValueError(
            f"the checkpoint predicts {logits} attributes, the pickle chooses "
            f"{len(outputs)} and the schema {schema.title!r} has {len(schema)}; names "
            f"in only one of the two: {differ[:5]}"
        )
    return [outputs.index(name) for name in schema.names]


def main(args: argparse.Namespace) -> None:
    """Convert one file."""
    schema = build_schema(args.schema)
    checkpoint = load_from_local(args.checkpoint, map_location="cpu")
    state_dict = convert_strong_baseline(checkpoint, schema, trained_order(args.data))
    save_weights(state_dict, args.output)
    print(f"{args.output}: {len(state_dict)} tensors, {len(schema)} attributes")


if __name__ == "__main__":
    main(ARGS)
