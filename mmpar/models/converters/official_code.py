"""From the tensors of an official code to those of mmpar, whichever code it is.

What a code calls its tensors and how its classifiers are arranged is data, an
:class:`OfficialCode`; here is all that is done with it. Nothing is left out or made up:
every tensor of the checkpoint has one place in the model, and the other way round.
"""

from __future__ import annotations

import copy
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mmpar.models.weights import weights_of
from mmpar.registry import MODELS
from mmpar.structures import AttributeSchema, build_schema

Weights = OrderedDict[str, Tensor]

WEIGHTS = ("state_dicts", "state_dict", "model", "state_dict_ema", "ema")
"""Entries of a checkpoint under which codes of the field keep weights."""

_NORM = ("weight", "bias", "running_mean", "running_var")
_NORM_EPS = 1e-5
_COUNTER = "num_batches_tracked"
_OURS = ("head.positive_ratio", "head._extra_state")
"""What a model of mmpar stores beside weights: unknown ratios, and its schema."""
_NAMED = 8
"""Tensors that an error names; the others are counted."""


@dataclass(frozen=True)
class OfficialCode:
    r"""What has to be known of a released code to take its checkpoints over.

    Attributes:
        title: What a person calls the method.
        source: Where the code is.
        head: Type of the model's head in mmpar.
        names: Pattern of a whole name in mmpar to the name in the code, in which ``\1``
            is the pattern's first group. A ``*`` is 0, 1, 2, ...: the tensors of these
            names are stacked, as many as the model's tensor holds. The first pattern
            that fits counts.
        backbones: Type of a backbone that is converted to fields of its config, as
            ``settings``.
        classifiers: The layers that give the logits, in the order of these, each with
            the batch normalization that may follow it (None: never does). Their tensors
            have a row for each logit.
        label: Entry of ``label_idx`` in the pickled dataset that names the logits; None
            if they are in the order of the dataset's release.
        regions: Region of the model to the classifier that reads it.
        settings: Fields of the model's config, as paths from ``model``, with which it
            computes what the code does. What is False is left out.
        input_size: (W, H) in pixels for which the code was written; None if any will
            do.
        reordered: Pattern of a whole name in mmpar to what is done to the tensor, whose
            elements mmpretrain keeps in another order.
        unused: Pattern of whole names of tensors that the code stores but never reads.
        refused: Pattern of a whole name in the code to why it cannot be converted.
    """

    title: str
    source: str
    head: str
    names: Mapping[str, str]
    backbones: Mapping[str, Mapping[str, Any]]
    classifiers: Mapping[str, str | None]
    settings: Mapping[str, Any]
    label: str | None = None
    regions: Mapping[str, str] = field(default_factory=dict)
    input_size: tuple[int, int] | None = None
    reordered: Mapping[str, Callable[[Tensor], Tensor]] = field(default_factory=dict)
    unused: str = ""
    refused: Mapping[str, str] = field(default_factory=dict)


class Converted(NamedTuple):
    """A model in mmpar that computes what the official one does.

    Attributes:
        model: Its config.
        changes: The fields, as paths from ``model``, in which it departs from the one
            that was given.
        state_dict: Its weights, of the type that they had. The positive ratios are NaN:
            evaluation does not need them, training sets them.
    """

    model: dict[str, Any]
    changes: dict[str, Any]
    state_dict: Weights


def find_weights(checkpoint: Any, source: str, key: str | None = None) -> Weights:
    """The weights in a checkpoint, wherever it keeps them, without ``module.``.

    Args:
        checkpoint: As loaded: a state dict, or a dict that holds one, or several that
            are equal, under names in ``WEIGHTS``.
        source: Its path, for errors.
        key: The entry to take, instead of the one there is.

    Raises:
        ValueError: There is no such entry, or there are several and they differ.
    """
    if key is None:
        entries = checkpoint if isinstance(checkpoint, Mapping) else {}
        keys = [name for name in WEIGHTS if isinstance(entries.get(name), Mapping)]
        if not keys:
            return weights_of(checkpoint, source)
    elif not isinstance(checkpoint, Mapping) or key not in checkpoint:
        found = list(checkpoint)[:_NAMED] if isinstance(checkpoint, Mapping) else None
        raise ValueError(f"{source} has no entry {key!r}; it has {found}")
    else:
        keys = [key]
    first, *others = (weights_of(checkpoint[name], source) for name in keys)
    if not all(_equal(first, other) for other in others):
        raise ValueError(
            f"{source} holds different weights under {' and '.join(keys)}; say which "
            f"to convert: --weights {keys[0]}"
        )
    return first


def _equal(one: Weights, other: Weights) -> bool:
    return one.keys() == other.keys() and all(
        torch.equal(value, other[name]) for name, value in one.items()
    )


def convert_weights(
    code: OfficialCode,
    weights: Mapping[str, Tensor],
    model: Mapping[str, Any],
    outputs: Sequence[str] | None = None,
) -> Converted:
    """The weights of an official model, for a model of mmpar that computes the same.

    Batch normalization of the logits, linear in evaluation, goes into the classifier
    before it.

    Args:
        code: Of the weights.
        weights: From :func:`find_weights`.
        model: Config of a model of the same method; its schema is that of the training.
        outputs: The attribute of each logit, where ``code.label`` is not None.

    Raises:
        ValueError: Attributes or tensors are missing, left over or of another shape, or
            the variant has no counterpart in mmpar; names them.
    """
    config = copy.deepcopy(dict(model))
    schema = _schema_of(code, config)
    _refuse_variants(code, weights)
    source = OrderedDict(
        (k, v) for k, v in weights.items() if not re.fullmatch(code.unused, k)
    )
    for classifier, norm in code.classifiers.items():
        if norm is not None and _tensors_of(norm, source):
            _fold_norm(code, source, classifier, norm)
    names = list(schema.names) if code.label is None else list(outputs or ())
    attributes = _sort_rows(code, source, schema, names)
    settings = {**code.settings, **_backbone_settings(code, config)}
    for region, linear in code.regions.items():
        settings[f"regions.{region}.groups"] = None
        settings[f"regions.{region}.attributes"] = attributes[linear]
    changes = {
        path: value for path, value in settings.items() if _change(config, path, value)
    }
    return Converted(config, changes, _rename(code, source, _own_tensors(config)))


def _schema_of(code: OfficialCode, config: Mapping[str, Any]) -> AttributeSchema:
    head = config.get("head") or {}
    found = str(head.get("type")).rpartition(".")[2]
    if found != code.head:
        raise ValueError(
            f"these are weights of {code.title} ({code.source}), which need a config "
            f"of it, with model.head.type={code.head!r}; this one has {found!r}"
        )
    return build_schema(head["schema"])


def _backbone_settings(code: OfficialCode, config: Mapping[str, Any]) -> dict[str, Any]:
    found = str(config["backbone"]["type"]).rpartition(".")[2]
    if found not in code.backbones:
        raise ValueError(
            f"{code.title} is converted with the backbones {list(code.backbones)}, not "
            f"with {found} of the config"
        )
    fields = code.backbones[found]
    return {f"backbone.{key}": value for key, value in fields.items()}


def _refuse_variants(code: OfficialCode, weights: Iterable[str]) -> None:
    for name in weights:
        for pattern, reason in code.refused.items():
            if re.fullmatch(pattern, name):
                raise ValueError(
                    f"this variant of {code.title} has no counterpart in mmpar: it has "
                    f"{name}, {reason}"
                )


def _tensors_of(layer: str, source: Iterable[str]) -> list[str]:
    return [n for n in source if n == layer or n.startswith(f"{layer}.")]


def _require(code: OfficialCode, source: Weights, names: list[str]) -> None:
    missing = [name for name in names if name not in source]
    if missing:
        raise _misfit(code, missing=missing)


def _fold_norm(code: OfficialCode, source: Weights, linear: str, norm: str) -> None:
    """``w x + b``, then ``(y - mean) * scale + shift``, as one linear layer."""
    needed = [f"{linear}.{kind}" for kind in _NORM[:2]]
    _require(code, source, [*needed, *(f"{norm}.{kind}" for kind in _NORM)])
    source.pop(f"{norm}.{_COUNTER}", None)
    scale, shift, mean, variance = (
        source.pop(f"{norm}.{kind}").double() for kind in _NORM
    )
    scale = scale / (variance + _NORM_EPS).sqrt()
    weight, bias = source[f"{linear}.weight"], source[f"{linear}.bias"]
    source[f"{linear}.weight"] = (weight * scale[:, None]).to(weight.dtype)
    source[f"{linear}.bias"] = ((bias - mean) * scale + shift).to(bias.dtype)


def _sort_rows(
    code: OfficialCode,
    source: Weights,
    schema: AttributeSchema,
    outputs: Sequence[str],
) -> dict[str, tuple[str, ...]]:
    """Put the rows of each classifier into the schema's order, in place.

    Returns:
        Classifier to its attributes.
    """
    tensors = {layer: _tensors_of(layer, source) for layer in code.classifiers}
    _require(code, source, [layer for layer, names in tensors.items() if not names])
    sizes = {layer: len(source[names[-1]]) for layer, names in tensors.items()}
    total = sum(sizes.values())
    if total != len(outputs) or {*outputs} != {*schema.names}:
        differ = sorted({*outputs} ^ {*schema.names})
        raise ValueError(
            f"the checkpoint predicts {total} attributes, {len(outputs)} are named for "
            f"its logits and the schema {schema.title!r} has {len(schema)}; names in "
            f"only one of the two: {differ[:_NAMED]}"
        )
    attributes: dict[str, tuple[str, ...]] = {}
    remaining = list(outputs)
    for layer, size in sizes.items():
        own, remaining = remaining[:size], remaining[size:]
        order = {schema.index(name): row for row, name in enumerate(own)}
        rows = [row for _, row in sorted(order.items())]
        for name in tensors[layer]:
            source[name] = source[name][rows]
        attributes[layer] = tuple(own[row] for row in rows)
    return attributes


def _change(config: dict[str, Any], path: str, value: Any) -> bool:
    """Set a field of a config, or leave it out if False; whether it was another."""
    *parents, key = path.split(".")
    for parent in parents:
        config = config.setdefault(parent, {})
    if value is False:
        return bool(config.pop(key, False))
    before = config.get(key)
    config[key] = value
    as_lists = [[*v] if isinstance(v, (list, tuple)) else v for v in (before, value)]
    return as_lists[0] != as_lists[1]


def _own_tensors(config: Mapping[str, Any]) -> dict[str, Tensor]:
    config = copy.deepcopy(dict(config))
    config["backbone"]["init_cfg"] = None
    return MODELS.build(config).state_dict()


def _rename(code: OfficialCode, source: Weights, own: Mapping[str, Tensor]) -> Weights:
    converted: Weights = OrderedDict()
    left = set(source)
    missing, misshapen = [], []
    for name, like in own.items():
        names = _official_names(code, name, like, source)
        left.difference_update(names)
        absent = [one for one in names if one not in source]
        if name in _OURS or (absent and name.endswith(_COUNTER)):
            converted[name] = like  # torch 0.4 and older do not count batches
        elif absent or not names:
            missing += absent or [f"(mmpar's {name})"]
        else:
            tensors = [source[one] for one in names]
            if sum(map(Tensor.numel, tensors)) != like.numel():
                shapes = f"{tuple(tensors[0].shape)}, expected {tuple(like.shape)}"
                misshapen.append(f"{names[0]} {shapes} in all")
            else:
                value = torch.stack(tensors).reshape(like.shape)
                converted[name] = _reordered(code, name, value)
    if missing or misshapen or left:
        raise _misfit(code, missing, misshapen, sorted(left))
    return converted


def _reordered(code: OfficialCode, name: str, value: Tensor) -> Tensor:
    for pattern, reorder in code.reordered.items():
        if re.fullmatch(pattern, name):
            return reorder(value)
    return value


def _official_names(
    code: OfficialCode, name: str, like: Tensor, source: Mapping[str, Tensor]
) -> list[str]:
    """The tensors of the code that make one of mmpar; none if it has no counterpart."""
    for pattern, template in code.names.items():
        match = re.fullmatch(pattern, name)
        if match:
            official = match.expand(template)
            if "*" not in official:
                return [official]
            first = source.get(official.replace("*", "0"))
            count = 1 if first is None else max(1, like.numel() // first.numel())
            return [official.replace("*", str(i)) for i in range(count)]
    return []


def _misfit(
    code: OfficialCode,
    missing: Sequence[str] = (),
    misshapen: Sequence[str] = (),
    left: Sequence[str] = (),
) -> ValueError:
    parts = (
        ("missing in the checkpoint", missing),
        ("of another shape", misshapen),
        ("left over, without a place in the model", left),
    )
    found = [f"{len(names)} {what}: {_listed(names)}" for what, names in parts if names]
    return ValueError(
        f"the tensors are not those of {code.title} ({code.source}) that the config's "
        f"model needs; {'; '.join(found)}"
    )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
