"""Readers of models, configs and what else decides how one is built."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import random
import struct
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from onnx import TensorProto, helper

from mmpar.apis.model_files import build_model, load_model
from mmpar.apis.official_checkpoints import convert_checkpoint
from mmpar.datasets.keypoints.pose_model import PoseModel
from mmpar.deploy.inferencer import CARD, IMAGES, SCORES, OnnxPARInferencer, seal
from mmpar.registry import MODELS
from mmpar.structures import DecisionRule, ModelCard, Preprocessing, build_schema
from mmpar.utils.config_data import read_config_data
from mmpar.utils.model_file import (
    CARD_KEY,
    hash_weights,
    read_card,
    write_model_file,
)
from tests.fixtures.official_weights import write_dataset
from tests.mutate_inputs.mutations import (
    mutate_bytes,
    mutate_graph,
    mutate_text,
    mutate_tree,
    mutate_zip,
)
from tests.mutate_inputs.runs import NAME, Seed

SCHEMA = dict(names=["Hat", "Boots", "Ärmel"], groups=dict(head=["Hat"]))
_WIDTH, _HEIGHT = 16, 32
_PIPELINE: list[dict[str, Any]] = [
    dict(type="LoadPersonImage"),
    dict(type="Resize", scale=(_WIDTH, _HEIGHT)),
    dict(type="PackPARInputs"),
]
_NORMALIZATION: dict[str, Any] = dict(
    type="mmpretrain.ClsDataPreprocessor",
    mean=[120.0, 110.0, 100.0],
    std=[60.0, 55.0, 50.0],
    to_rgb=True,
)
_MODEL: dict[str, Any] = dict(
    type="PARClassifier",
    backbone=dict(
        type="mmpretrain.ResNet",
        depth=18,
        num_stages=1,
        strides=(1,),
        dilations=(1,),
        out_indices=(0,),
        base_channels=2,
        stem_channels=2,
        style="pytorch",
    ),
    neck=dict(type="mmpretrain.GlobalAveragePooling"),
    head=dict(type="LinearPARHead", in_channels=2),
)


def config() -> dict[str, Any]:
    """Of a model with a thousand weights."""
    loader = dict(batch_size=4, num_workers=0, dataset=dict(pipeline=_PIPELINE))
    model = copy.deepcopy(_MODEL)
    model["data_preprocessor"] = _NORMALIZATION
    model["head"]["schema"] = SCHEMA
    hooks = dict(checkpoint=dict(type="CheckpointHook", save_best="par/mA"))
    return dict(
        default_scope="mmpar",
        model=model,
        val_dataloader=loader,
        test_dataloader=loader,
        default_hooks=hooks,
    )


def _config_text() -> str:
    return Config(config()).pretty_text


def _card() -> tuple[ModelCard, Any]:
    """A card and its model."""
    schema = build_schema(SCHEMA)
    card = ModelCard(
        name="tiny",
        schema=schema,
        regions={},
        model=_MODEL,
        preprocessing=Preprocessing.from_config(_PIPELINE, _NORMALIZATION),
        decision=DecisionRule(schema, 0.4),
        chosen_by=dict(metric="par/mA", split="val", value=0.5, checkpoint="a.pth"),
        positive_ratio=(None,) * len(schema),
        training_data=None,
        license="unknown",
        intended_use="unknown",
        versions=dict(mmpar="0.2", torch="2"),
        needs_keypoints=False,
        weights_sha256="0" * 64,
    )
    torch.manual_seed(0)
    model = build_model(card)
    return replace(card, weights_sha256=hash_weights(model.state_dict())), model


# --- published models -----------------------------------------------------------------


def published() -> list[Seed]:
    """Safetensors, damaged; and with another card, whose digests fit."""
    card, model = _card()
    with tempfile.TemporaryDirectory() as folder:
        content = write_model_file(folder, model.state_dict(), card).read_bytes()
    reads = (load_model, read_card)
    return [
        Seed(f"{NAME}.safetensors", content, mutate, read)
        for mutate in (mutate_bytes, _mutate_card_of_file, _mutate_card_of_file)
        for read in reads
    ]


def _mutate_card_of_file(content: bytes, chance: random.Random) -> bytes:
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    if chance.random() < 0.3:
        text = json.dumps(mutate_tree(header, chance), separators=(",", ":")).encode()
    else:
        metadata = header.pop("__metadata__")
        metadata[CARD_KEY] = mutate_card(metadata[CARD_KEY], chance)
        text = json.dumps(
            {"__metadata__": dict(sorted(metadata.items())), **header},
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode("utf-8", "surrogatepass")
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + content[8 + length :]


def mutate_card(text: str, chance: random.Random) -> str:
    """A card with another field, and the digest of that."""
    data = mutate_tree(json.loads(text)["card"], chance)
    canonical = json.dumps(
        data, sort_keys=True, ensure_ascii=False, separators=(",", ":")
    )
    digest = hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()
    return f'{{"card":{canonical},"sha256":"{digest}"}}'


def exported() -> list[Seed]:
    """ONNX, damaged; and changed by somebody who knows how to seal it."""
    card, _ = _card()
    content = seal(_graph(card.to_json()))

    def resealed(whole: bytes, chance: random.Random) -> bytes:
        mutate = chance.choice((mutate_bytes, mutate_graph, mutate_graph))
        return seal(mutate(whole[:-_SEAL_BYTES], chance))

    def with_card(whole: bytes, chance: random.Random) -> bytes:
        text = mutate_card(card.to_json(), chance)
        return seal(_graph(text.encode("utf-8", "replace").decode()))

    return [
        Seed(f"{NAME}.onnx", content, mutate, _use_exported)
        for mutate in (mutate_bytes, resealed, with_card)
    ]


_SEAL_BYTES = len(seal(b""))


def _use_exported(path: Path) -> None:
    inferencer = OnnxPARInferencer(path)
    inferencer(np.zeros((_HEIGHT, _WIDTH, 3), np.uint8))


def _graph(card: str) -> bytes:
    """A linear model on the mean colour."""
    weights = np.random.default_rng(0).random((3, len(SCHEMA["names"])), np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", [IMAGES], ["mean"]),
            helper.make_node("Flatten", ["mean"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
            helper.make_node("Sigmoid", ["logits"], [SCORES]),
        ],
        "tiny",
        [_value(IMAGES, ["batch", 3, _HEIGHT, _WIDTH])],
        [_value(SCORES, ["batch", len(SCHEMA["names"])])],
        [onnx.numpy_helper.from_array(weights, "weights")],
    )
    model = _model_of(graph)
    helper.set_model_props(model, {CARD: card})
    return model.SerializeToString()


def _value(name: str, shape: list[Any]) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _model_of(graph: Any) -> Any:
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8)


# --- pose models ----------------------------------------------------------------------


def pose() -> list[Seed]:
    """Heat maps: the brightness of each pixel, 17 times."""
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["input", "axes"], ["grey"]),
            helper.make_node("Concat", ["grey"] * 17, ["maps"], axis=1),
        ],
        "pose",
        [_value("input", ["batch", 3, _HEIGHT, _WIDTH])],
        [_value("maps", ["batch", 17, _HEIGHT, _WIDTH])],
        [onnx.numpy_helper.from_array(np.array([1]), "axes")],
    )
    opset = [helper.make_opsetid("", 18)]
    content = helper.make_model(graph, opset_imports=opset, ir_version=8)

    def use(path: Path) -> None:
        PoseModel(path)([np.zeros((40, 30, 3), np.uint8)])

    return [
        Seed(f"{NAME}.onnx", content.SerializeToString(), mutate, use)
        for mutate in (mutate_bytes, mutate_graph, mutate_graph)
    ]


# --- checkpoints and configs ----------------------------------------------------------


def _checkpoint_bytes(text: str) -> bytes:
    _, model = _card()
    target = io.BytesIO()
    meta = dict(cfg=text, experiment_name="tiny", epoch=1, iter=3)
    torch.save(dict(meta=meta, state_dict=model.state_dict()), target)
    return target.getvalue()


def checkpoints_with_config() -> list[Seed]:
    """Damaged ones, and whole ones with another config."""
    whole = _checkpoint_bytes(_config_text())

    def with_config(content: bytes, chance: random.Random) -> bytes:
        text = mutate_config(_config_text().encode(), chance)
        return _checkpoint_bytes(text.decode("utf-8", "replace"))

    return [
        Seed(f"{NAME}.pth", whole, mutate, load_model)
        for mutate in (mutate_zip, with_config, with_config)
    ]


def mutate_config(content: bytes, chance: random.Random) -> bytes:
    """A value of a config replaced, removed or doubled; or its text changed."""
    if chance.random() < 0.4:
        return mutate_text(content, chance)
    tree = mutate_tree(config(), chance)
    fields = tree if isinstance(tree, dict) else dict(model=tree)
    lines = [f"{name} = {value!r}\n" for name, value in fields.items()]
    return "".join(lines).encode("utf-8", "surrogatepass")


def configs() -> list[Seed]:
    """The text alone, and the work dir of a training that has it."""
    beside = {"best_par_mA_epoch_1.pth": _checkpoint_bytes(_config_text())}
    text = _config_text().encode()
    return [
        Seed(f"{NAME}.py", text, mutate_config, read_config_data),
        Seed(
            f"{NAME}/config.py",
            text,
            mutate_config,
            lambda path: load_model(path.parent),
            beside,
        ),
    ]


# --- official checkpoints -------------------------------------------------------------


def official() -> list[Seed]:
    """A checkpoint of the Strong Baseline, and the pickle that names its logits."""
    wanted = Config(config())
    with DefaultScope.overwrite_default_scope("mmpar"):
        own = MODELS.build(copy.deepcopy(wanted.model.to_dict())).state_dict()
    weights = {
        name.replace("head.classifier", "classifier.logits.0"): value
        for name, value in own.items()
        if not name.endswith(("positive_ratio", "_extra_state"))
    }
    target = io.BytesIO()
    torch.save(dict(state_dicts=weights, metric=0.5, epoch=2), target)
    with tempfile.TemporaryDirectory() as folder:
        schema = build_schema(SCHEMA)
        data = write_dataset(Path(folder) / "data.pkl", schema, "eval", [2, 0, 1])
        pickled = data.read_bytes()
    file, beside = target.getvalue(), f"{NAME}.pkl"
    return [
        Seed(
            f"{NAME}.pth",
            file,
            mutate_zip,
            partial(_convert, wanted),
            {beside: pickled},
        ),
        Seed(
            f"{NAME}.pkl",
            pickled,
            mutate_bytes,
            partial(_convert, wanted),
            {f"{NAME}.pth": file},
        ),
    ]


def _convert(wanted: Config, path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        convert_checkpoint(
            copy.deepcopy(wanted),
            path.with_suffix(".pth"),
            Path(folder) / "converted.pth",
            data=path.with_suffix(".pkl"),
            say=str,
        )


READERS: dict[str, Callable[[], list[Seed]]] = {
    "published": published,
    "exported": exported,
    "pose-model": pose,
    "checkpoint-model": checkpoints_with_config,
    "config": configs,
    "convert": official,
}
"""Name to what makes the whole files."""
