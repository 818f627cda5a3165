"""Convert a checkpoint of ALM's released code into one of mmpar.

python tools/model_converters/alm_to_mmpar.py 41.pth.tar alm_rapv1.pth --schema rapv1
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", help="file of the released code (.pth.tar)")
    parser.add_argument("output", help="file to write")
    parser.add_argument(
        "--schema", required=True, help="peta, rapv1 or pa100k: what it was trained on"
    )
    return parser.parse_args()


if __name__ == "__main__":  # before the imports below, which take seconds
    ARGS = parse_args()

import torch
from torch import Tensor

from mmpar.models import ALMHead, BNInception
from mmpar.models.weights import weights_of
from mmpar.structures import AttributeSchema, build_schema
from mmpar.utils.checkpoint_files import load_from_local, save_weights

LEVELS = ("3b", "4d", "5b")
STAGE_CHANNELS = (320, 608, 1024)
PER_ATTRIBUTE = {
    "squeeze": "att_list.{}.conv1",
    "excite": "att_list.{}.conv2",
    "region": "stn_list.{}",
    "classifier": "fc_list.{}",
}


def convert_alm(
    checkpoint: Mapping[str, Any], schema: AttributeSchema
) -> dict[str, Tensor]:
    """Rename and stack the tensors of the released code.

    Args:
        checkpoint: A state dict with keys such as ``st_3b.fc_list.0.weight``, with
            ``module.`` before them once, more often or not at all, or a dict that
            holds it as ``state_dict``.
        schema: Of the dataset that it was trained on; carried along.

    Returns:
        State dict of a ``PARClassifier`` of BNInception and ALMHead. The positive
        ratios are NaN: evaluation does not need them, training sets them.

    Raises:
        ValueError: Tensors are missing, left over, or for other attributes.
    """
    source = weights_of(checkpoint, "given")
    _check_attributes(source, schema)
    parts = {
        "backbone": BNInception(out_indices=(0, 1, 2)),
        "head": ALMHead(schema, STAGE_CHANNELS),
    }
    used: set[str] = set()
    converted = {}
    for part, module in parts.items():
        for key, value in module.state_dict().items():
            name = f"{part}.{key}"
            wanted = official_names(name, len(schema))
            used.update(wanted)
            converted[name] = _gather(source, wanted, value) if wanted else value
    _check_left_over(source, used)
    return converted


def official_names(name: str, num_attributes: int) -> list[str]:
    """What the released code calls a tensor of mmpar: one name, or one per attribute.

    Empty for what it does not have: the schema and the positive ratios.
    """
    part, key = name.split(".", 1)
    if part == "backbone":
        return [f"main_branch.{key}"]
    if key.startswith("laterals."):
        _, level, kind = key.split(".")
        return [f"latlayer_{LEVELS[int(level)]}.{kind}"]
    if key.startswith("global_classifier."):
        return [key.replace("global_classifier", "finalfc")]
    if not key.startswith("localizations."):
        return []
    _, level, tensor = key.split(".")
    layer, kind = tensor.rsplit("_", 1)
    place = f"st_{LEVELS[int(level)]}.{PER_ATTRIBUTE[layer]}.{kind}"
    return [place.format(i) for i in range(num_attributes)]


def _gather(source: Mapping[str, Tensor], names: list[str], like: Tensor) -> Tensor:
    missing = [name for name in names if name not in source]
    if missing:
        # torch 0.4.0 and older do not count the batches of a normalisation.
        if names[0].endswith("num_batches_tracked"):
            return like
        raise ValueError(
            f"the checkpoint lacks {len(missing)} tensors of ALM, first: "
            f"{missing[:3]}; is it one of https://github.com/chufengt/iccv19_attribute?"
        )
    tensors = [source[name] for name in names]
    stacked = torch.stack(tensors) if len(tensors) > 1 else tensors[0]
    if stacked.numel() != like.numel():
        raise ValueError(
            f"{names[0]} has the shape {tuple(tensors[0].shape)}, which does not fit "
            f"{tuple(like.shape)} of the published model"
        )
    return stacked.reshape(like.shape)


def _check_attributes(source: Mapping[str, Tensor], schema: AttributeSchema) -> None:
    predicted = len(source["finalfc.bias"]) if "finalfc.bias" in source else None
    if predicted not in (None, len(schema)):
        raise ValueError(
            f"the checkpoint predicts {predicted} attributes, but the schema "
            f"{schema.title!r} has {len(schema)}; the released checkpoints are for "
            "peta (35), rapv1 (51) and pa100k (26)"
        )


def _check_left_over(source: Mapping[str, Tensor], used: set[str]) -> None:
    left = sorted(set(source) - used)
    if left:
        raise ValueError(
            f"{len(left)} tensors of the checkpoint have no place in mmpar, first: "
            f"{left[:3]}"
        )


def main(args: argparse.Namespace) -> None:
    """Convert one file."""
    schema = build_schema(args.schema)
    checkpoint = load_from_local(args.checkpoint, map_location="cpu")
    state_dict = convert_alm(checkpoint, schema)
    save_weights(state_dict, args.output)
    print(f"{args.output}: {len(state_dict)} tensors, {len(schema)} attributes")


if __name__ == "__main__":
    main(ARGS)
