"""Models from files: published ones, checkpoints and work dirs, and how to publish.

Each becomes a :class:`ModelCard` and weights first, and the model is built from these.
Whatever file it came from, nothing in it is executed: configs are read as data, and a
model is built of registered parts alone.
"""

from __future__ import annotations

import copy
import math
import os
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import mmpar.registry  # noqa: F401  checks the installation before MMEngine is imported

# isort: split
import torch
from mmengine import registry as mmengine_parts
from mmengine.config import Config
from mmengine.registry import DefaultScope, Registry
from mmpretrain import registry as mmpretrain_parts
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmpar import registry as mmpar_parts
from mmpar.evaluation.result_record import UNKNOWN, describe_choice, describe_data
from mmpar.models.weights import load_weights, weights_of
from mmpar.registry import MODELS
from mmpar.structures import (
    DecisionRule,
    ModelCard,
    Preprocessing,
    SchemaMismatchError,
    build_schema,
)
from mmpar.structures.model_card import ELSEWHERE, NOT_PUBLISHED
from mmpar.structures.plain_data import plain
from mmpar.utils.checkpoint_files import load_from_local
from mmpar.utils.checkpoint_search import best_score_of, find_checkpoint_to_test
from mmpar.utils.config_data import parse_config_data, read_config_data
from mmpar.utils.model_file import (
    ENDING,
    hash_weights,
    read_model_file,
    write_model_file,
)
from mmpar.utils.protocol import protocol_of_checkpoint
from mmpar.version import __version__

__all__ = ["load_model", "publish", "read_model_file", "write_model_file"]

Say = Callable[[str], Any]
Weights = OrderedDict[str, Tensor]

_USUAL_SIZE = 1 << 14
"""Numbers in the config of a model up to here need not be a side of its weights."""


class NamedConfig(NamedTuple):
    """The fields of a config, and what it is called."""

    name: str
    fields: dict[str, Any]


_NO_WEIGHTS = "0" * 64
_SCOPES = dict(mmpar=mmpar_parts, mmpretrain=mmpretrain_parts, mmengine=mmengine_parts)
_OF_MODELS = ("MODELS",)
OF_DATA = ("DATASETS", "TRANSFORMS", "DATA_SAMPLERS", "FUNCTIONS")
"""Registries of what a data loader is made of."""
_OF_CLASSIFIERS = tuple(
    f"mmpretrain.{part}"
    for part in (
        *("models.backbones", "models.classifiers", "models.heads", "models.losses"),
        *("models.necks", "models.utils.norm", "models.utils.attention", "datasets"),
    )
)
"""Modules of mmpretrain whose parts a file may name."""
_FETCHING = ("TIMMBackbone", "TimmClassifier", "HuggingFaceClassifier")
"""Parts that fetch weights or code, or unpickle files, when they are built."""
_ONLY_IN_TRAINING = ("train_cfg",)
_USE_CONFIG = (
    "To publish a checkpoint of an older mmpar, name the config that fits it now: "
    "mmpar publish CHECKPOINT --config CONFIG --out FILE"
)


def load_model(
    source: str | Path, device: str | torch.device = "cpu"
) -> tuple[Any, ModelCard]:
    """A trained model, ready to predict.

    Args:
        source: A published model (``.safetensors``), a checkpoint that a training with
            mmpar wrote, or a work dir, for the checkpoint that stands for its training
            (see :func:`find_checkpoint_to_test`).
        device: Where it goes.

    Returns:
        The model in evaluation mode, which decides as its card says, and the card.

    Raises:
        FileNotFoundError: There is no such file, or no checkpoint in the work dir.
        ValueError: It is not such a file, is damaged, needs code or parts that are not
            registered, is of another schema, or weights and config do not fit; says
            what and what to do.
    """
    model, card = _load(str(source), config=None, say=_keep_quiet)
    return model.to(device), card


def publish(
    source: str | Path,
    out: str | Path,
    config: str | Path | None = None,
    say: Say = print,
    **fields: str | None,
) -> Path:
    """Write a model to one self-describing file.

    Args:
        source: As for :func:`load_model`.
        out: The file, whose name gets a hash of the weights, or a folder for it.
        config: A config that is read instead of the one that the checkpoint or work
            dir holds. It is yours, and executed, as by ``tools/test.py``.
        say: Called with each line about what is known and what is not.
        **fields: ``name``, ``license`` and ``intended_use`` of the card, where given.

    Returns:
        The file's path.

    Raises:
        FileNotFoundError: See :func:`load_model`.
        ValueError: See :func:`load_model`; or its scores are not numbers.
    """
    model, card = _load(str(source), config, say)
    given: dict[str, Any] = {k: v for k, v in fields.items() if v is not None}
    card = replace(card, **given)
    _require_answers(model, card)  # seen here, not by who downloads it
    path = write_model_file(out, model.state_dict(), card)
    load_model(path)
    for line in describe(card):
        say(line)
    return path


def describe(card: ModelCard) -> list[str]:
    """The lines that tell a person what is published, and what is not known of it."""
    checkpoint = f" ({card.chosen_by['checkpoint']})" if card.chosen_by else ""
    lines = dict(
        name=card.name,
        attributes=f"{len(card.schema)} of {card.schema.title}",
        input=f"{card.preprocessing.width} x {card.preprocessing.height} pixels",
        decision=str(card.decision),
        protocol=card.protocol or UNKNOWN,
        chosen_by=describe_choice(card.chosen_by) + checkpoint,
        training_data=describe_data(card.training_data),
        license=card.license,
        intended_use=card.intended_use,
        weights_sha256=card.weights_sha256,
    )
    return [f"{name}: {value}" for name, value in lines.items()]


def _require_answers(model: Any, card: ModelCard) -> None:
    """Raise ``ValueError`` unless the logits of a black image are finite."""
    look = card.preprocessing
    sample = DataSample(img_path="a black image")
    if card.needs_keypoints:
        sample.set_field(torch.zeros(1, 17, 3), "gt_keypoints")
    black = torch.zeros(1, 3, look.height, look.width)
    with torch.inference_mode():
        inputs = model.data_preprocessor(dict(inputs=black))["inputs"]
        logits = model(inputs, [sample], mode="tensor")
    if not logits.isfinite().all():
        raise ValueError(
            f"the model {card.name} answers {logits.tolist()}, which are not finite "
            "numbers: did its training diverge? Nothing was written"
        )


# --- from any source to model and card ----------------------------------------------


def _load(source: str, config: str | Path | None, say: Say) -> tuple[Any, ModelCard]:
    source = os.path.expanduser(source)
    if os.path.isdir(source):
        return _load_work_dir(source, config, say)
    if source.endswith(ENDING):
        if config is not None:
            raise ValueError(
                f"{source} is a published model and has its config; leave {config} out"
            )
        return _load_published(source)
    return _load_checkpoint(source, _read_own_config(config) if config else None, say)


def _load_published(path: str) -> tuple[Any, ModelCard]:
    card, state_dict = read_model_file(path)
    with _naming(f"the model file {path}"):
        _refuse_larger(card.model, state_dict, "model")
        model = build_model(card)
        _load_state(model, state_dict, every=True)
        _require_agreement(model, card)
    return model, card


def _load_work_dir(
    folder: str, config: str | Path | None, say: Say
) -> tuple[Any, ModelCard]:
    read = _read_own_config(config) if config else _read_config_of(folder)
    with _naming(f"the config of {folder}"):
        path = find_checkpoint_to_test(Config(copy.deepcopy(read.fields)), folder, say)
    return _load_checkpoint(path, read, say)


def _read_config_of(folder: str) -> NamedConfig:
    found = sorted(Path(folder).glob("*.py"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise FileNotFoundError(
            f"the work dir {folder} should hold the one config that tools/train.py "
            f"wrote, found: {names}. Name a checkpoint in it instead"
        )
    return NamedConfig(found[0].stem, read_config_data(found[0]))


def _read_own_config(path: str | Path) -> NamedConfig:
    return NamedConfig(Path(path).stem, Config.fromfile(path).to_dict())


def _load_checkpoint(
    path: str, config: NamedConfig | None, say: Say
) -> tuple[Any, ModelCard]:
    """The model of a checkpoint.

    Its ``state_dict`` is what the training evaluated: with an average of the weights
    (EMAHook) it is the average, and what was trained is under another key.
    """
    checkpoint = load_from_local(path, map_location="cpu")
    meta = checkpoint.get("meta") if isinstance(checkpoint, Mapping) else None
    meta = meta if isinstance(meta, Mapping) else {}
    config = config or _read_config_in(meta, path)
    with _naming(f"the checkpoint {path}", _USE_CONFIG):
        card = _describe_checkpoint(checkpoint, meta, config, path)
        weights = weights_of(checkpoint, path)
        _refuse_larger(card.model, weights, "model")
        model = build_model(card)
        _load_state(model, weights)
        card = replace(
            card,
            positive_ratio=_positive_ratio(model),
            needs_keypoints=_needs_keypoints(model),
            weights_sha256=hash_weights(model.state_dict()),
        )
    _say_unknown(card, path, say)
    return model, card


@contextmanager
def _naming(source: str, remedy: str = "") -> Iterator[None]:
    """Errors about what a source holds begin with it and end with what to do."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        kind = SchemaMismatchError if isinstance(error, SchemaMismatchError) else None
        message = f"{source}: {error}" + (f". {remedy}" if remedy else "")
        raise (kind or ValueError)(message) from error


def _read_config_in(meta: Mapping[str, Any], path: str) -> NamedConfig:
    text = meta.get("cfg")
    if not isinstance(text, str):
        raise ValueError(
            f"the checkpoint {path} holds weights without a config. {_USE_CONFIG}"
        )
    name = re.sub(r"_\d{8}_\d{6}$", "", str(meta.get("experiment_name", "")))
    fields = parse_config_data(text, f"the config in {path}")
    return NamedConfig(name or Path(path).stem, fields)


def _describe_checkpoint(
    checkpoint: Mapping[str, Any],
    meta: Mapping[str, Any],
    config: NamedConfig,
    path: str,
) -> ModelCard:
    """The card, but for what the built model says."""
    name, fields = config
    if fields.get("default_scope", "mmpar") != "mmpar":
        raise ValueError(f"default_scope is {fields['default_scope']!r}, not 'mmpar'")
    model = _require_dict(fields, "model")
    head = _require_dict(model, "head", "model")
    schema = build_schema(head.get("schema", ""))
    return ModelCard(
        name=name,
        schema=schema,
        regions=model.get("regions") or {},
        model=_model_config(model),
        preprocessing=_read_preprocessing(fields),
        decision=DecisionRule(schema, head.get("threshold", 0.5)),
        protocol=protocol_of_checkpoint(meta),
        chosen_by=_chosen_by(checkpoint, meta, fields, path),
        positive_ratio=(None,) * len(schema),
        training_data=meta.get("training_data"),
        license=UNKNOWN,
        intended_use=UNKNOWN,
        versions=dict(mmpar=__version__, torch=str(torch.__version__)),
        needs_keypoints=False,
        weights_sha256=_NO_WEIGHTS,
    )


def _require_dict(fields: Any, name: str, where: str = "the config") -> dict[str, Any]:
    value = fields.get(name)
    if not isinstance(value, dict):
        raise ValueError(f"{where} has no {name}=dict(...), found {value!r}")
    return value


def _read_preprocessing(fields: dict[str, Any]) -> Preprocessing:
    """From the test pipeline, or that of val where nothing is tested."""
    for name in ("test_dataloader", "val_dataloader"):
        dataset = (fields.get(name) or {}).get("dataset") or {}
        if dataset.get("pipeline"):
            normalization = fields["model"].get("data_preprocessor")
            return Preprocessing.from_config(
                dataset["pipeline"], normalization or fields.get("data_preprocessor")
            )
    raise ValueError("the config has no test_dataloader.dataset.pipeline")


def _model_config(model: Mapping[str, Any]) -> dict[str, Any]:
    """The config without what the card says elsewhere, training, and other weights."""
    kept = plain(_without(model, NOT_PUBLISHED), "model")
    for path in ELSEWHERE:
        part, _, key = path.rpartition(".")
        (kept[part] if part else kept).pop(key, None)
    return {key: item for key, item in kept.items() if key not in _ONLY_IN_TRAINING}


def _without(value: Any, keys: tuple[str, ...]) -> Any:
    if isinstance(value, Mapping):
        # MMEngine leaves _delete_ where a child config had nothing to delete.
        left_out = (*keys, "_delete_")
        return {k: _without(v, keys) for k, v in value.items() if k not in left_out}
    if isinstance(value, (list, tuple)):
        return [_without(item, keys) for item in value]
    return value


def _chosen_by(
    checkpoint: Mapping[str, Any],
    meta: Mapping[str, Any],
    fields: dict[str, Any],
    path: str,
) -> dict[str, Any] | None:
    """What the training recorded, or what can be seen in an older checkpoint."""
    found = meta.get("chosen_by")
    if found is None:
        hooks = _require_dict(fields, "default_hooks")
        save_best = (hooks.get("checkpoint") or {}).get("save_best")
        names = [save_best] if isinstance(save_best, str) else list(save_best or ())
        hub = checkpoint.get("message_hub") or {}
        found = best_score_of(hub.get("runtime_info") or {}, names, meta)
        dataset = (fields.get("val_dataloader") or {}).get("dataset") or {}
        found = found and {**found, "split": dataset.get("split") or UNKNOWN}
    return found and {**found, "checkpoint": os.path.basename(path)}


def _say_unknown(card: ModelCard, path: str, say: Say) -> None:
    if card.training_data is None:
        say(
            f"{path} does not say what it was trained on, as it was converted, an "
            "older mmpar wrote it, or its config has no TrainingRecordHook: the "
            f"training data are {UNKNOWN}"
        )
    if card.chosen_by is None:
        say(f"{path} was not chosen by a metric, as far as it says: {UNKNOWN}")


# --- from a card to a model ---------------------------------------------------------


def _refuse_larger(config: Any, weights: Mapping[str, Any], where: str) -> None:
    """Refuse sizes that the weights do not have, before they fill the memory.

    Raises:
        ValueError: A number is above all sizes of the weights, and above what a model
            has otherwise, such as the size of its input.
    """
    sizes = [size for value in weights.values() for size in getattr(value, "shape", ())]
    limit = max(_USUAL_SIZE, *sizes, 0)
    for path, value in _numbers(config, where):
        if abs(value) > limit:
            raise ValueError(
                f"{path} is {value}, but no side of the weights is longer than {limit}"
            )


def _numbers(value: Any, where: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _numbers(item, f"{where}.{key}")
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from _numbers(item, f"{where}[{i}]")
    elif isinstance(value, (int, float)):
        yield where, value


def build_model(card: ModelCard) -> Any:
    """The model that a card describes, with random weights, in evaluation mode.

    Raises:
        ValueError: A part is not registered, may not come from a file, or does not
            take its arguments.
    """
    config = copy.deepcopy(dict(card.model))
    require_registered(config, "model")
    look = card.preprocessing
    config["data_preprocessor"] = dict(
        type="mmpretrain.ClsDataPreprocessor",
        mean=list(look.mean),
        std=list(look.std),
        to_rgb=look.to_rgb,
    )
    if card.regions:
        config["regions"] = copy.deepcopy(dict(card.regions))
    config["head"]["schema"] = card.schema.to_dict()
    try:
        with DefaultScope.overwrite_default_scope("mmpar"):
            model = MODELS.build(config)
    except Exception as error:  # parts raise nearly any type on wrong arguments
        raise ValueError(
            f"the model cannot be built ({type(error).__name__}: {error})"
        ) from error
    if not hasattr(getattr(model, "head", None), "set_decision_rule"):
        raise ValueError(
            f"model.head is a {config['head'].get('type')}, not one of mmpar's heads"
        )
    model.head.set_decision_rule(card.decision)
    return model.eval()


def require_registered(
    config: Any, where: str, kinds: tuple[str, ...] = _OF_MODELS
) -> None:
    """Refuse parts that MMEngine would import by their full name, such as os.system.

    Args:
        config: Of a model, or of data with the registries ``OF_DATA``.
        where: What it is, for the error.
        kinds: Names of the registries that parts may be from.

    Raises:
        ValueError: A ``type`` is not the name of a registered part that a file may
            name.
    """
    if isinstance(config, (list, tuple)):
        for i, item in enumerate(config):
            require_registered(item, f"{where}[{i}]", kinds)
    if not isinstance(config, dict):
        return
    if "type" in config and not _is_registered(config["type"], kinds):
        raise ValueError(
            f"{where}.type is {config['type']!r}, not the name of a registered part "
            "that a file may use; a part of your own must be imported before"
        )
    if "_scope_" in config and config["_scope_"] not in _SCOPES:
        raise ValueError(
            f"{where}._scope_ is {config['_scope_']!r}, not one of {list(_SCOPES)}"
        )
    for key, item in config.items():
        require_registered(item, f"{where}.{key}", kinds)


def _is_registered(name: Any, kinds: tuple[str, ...]) -> bool:
    scope, _, key = str(name).rpartition(".")
    found = []
    for registry in _registries([scope] if scope else [*_SCOPES], kinds):
        registry.import_from_location()
        found += [registry.module_dict[key]] if key in registry.module_dict else []
    return bool(found) and all(map(_may_come_from_a_file, found))


def _registries(scopes: list[str], kinds: tuple[str, ...]) -> list[Registry]:
    found = [getattr(_SCOPES.get(s), kind, None) for s in scopes for kind in kinds]
    return [registry for registry in found if registry is not None]


def _may_come_from_a_file(part: Any) -> bool:
    module = part.__module__
    ours = not module.startswith("mmpretrain.") or module.startswith(_OF_CLASSIFIERS)
    return ours and part.__name__ not in _FETCHING


def _load_state(model: nn.Module, weights: Weights, every: bool = False) -> None:
    """Load weights that are those of the model.

    Args:
        model: To load into.
        weights: Names of an older mmpar are renamed.
        every: Whether also the counters of batches and the schema must be there.

    Raises:
        ValueError: Some are missing, unknown, or of another shape or type; names them.
        SchemaMismatchError: They are of another schema.
    """
    own = {name: (v.dtype, v.shape) for name, v in model.state_dict().items()}
    if every and {*own} != {*weights}:
        raise ValueError(
            f"the weights lack {sorted({*own} - {*weights})} and have the unknown "
            f"{sorted({*weights} - {*own})}"
        )
    retyped = {
        name: f"{value.dtype}, expected {own[name][0]}"
        for name, value in weights.items()
        if name in own and value.dtype != own[name][0]
    }
    if retyped:
        raise ValueError(f"weights are of another type: {retyped}")
    load_weights(model, weights).require_exact("the state dict")


def load_exactly(model: Any, checkpoint: Any, source: str) -> None:
    """Load all weights of a checkpoint, and the decision rule of a published model.

    Raises:
        ValueError: They do not fit; names which.
        SchemaMismatchError: They are of another schema.
    """
    with _naming(source):
        _load_state(model, weights_of(checkpoint, source))
        if "card" in checkpoint:
            model.head.set_decision_rule(checkpoint["card"].decision)


def _require_agreement(model: Any, card: ModelCard) -> None:
    """Refuse a card that says of the model what the model itself does not."""
    for field, found in (
        ("needs_keypoints", _needs_keypoints(model)),
        ("positive_ratio", _positive_ratio(model)),
    ):
        if getattr(card, field) != found:
            raise ValueError(
                f"{field} of the card is {getattr(card, field)}, but that of the model "
                f"is {found}"
            )


def _needs_keypoints(model: Any) -> bool:
    return bool(getattr(getattr(model, "neck", None), "needs_keypoints", False))


def _positive_ratio(model: Any) -> tuple[float | None, ...]:
    ratios = model.head.positive_ratio.tolist()
    return tuple(None if math.isnan(ratio) else ratio for ratio in ratios)


def _keep_quiet(line: str) -> None:
    """What a file does not say is in its card, for who asks."""
