"""The protocol of a config, as far as its data loaders show it."""

from __future__ import annotations

import os.path as osp
from collections.abc import Iterator, Mapping
from typing import Any

import mmpar.registry  # noqa: F401  checks the installation before MMEngine is imported

# isort: split
from mmengine.config import Config

from mmpar.structures.protocols import PROTOCOLS
from mmpar.utils.config_data import parse_config_data

_WHICH_DATA = ("type", "data_root", "ann_file", "partition", "seed")
"""Fields of a dataset that, besides ``split`` and ``indices``, say which images."""
_PARTS = {"trainval": {"train", "val"}}


def check_protocol(cfg: Config) -> None:
    """Require that a config does what its field ``protocol`` says.

    A config without the field, or with None, says nothing; one that trains nothing
    cannot be checked.

    Raises:
        ValueError: It says something else, or trains on what it tests.
    """
    said = cfg.get("protocol")
    if said is None or not cfg.get("train_dataloader"):
        return
    if said not in PROTOCOLS:
        raise ValueError(
            f"{cfg.filename}: protocol is one of {', '.join(PROTOCOLS)}, or None, got "
            f"{said!r}"
        )
    try:
        found = find_protocol(cfg)
    except ValueError as error:
        raise ValueError(
            f"{cfg.filename}: protocol is {said!r} ({PROTOCOLS[said]}), but {error}. "
            "Give other data, or protocol=None for a result that follows none"
        ) from error
    if found != said:
        raise ValueError(
            f"{cfg.filename}: protocol is {said!r} ({PROTOCOLS[said]}), but by its "
            f"data the checkpoint is {found!r}: {PROTOCOLS[found]}. Give other data, "
            f"or say protocol={found!r}"
        )


def find_protocol(cfg: Mapping[str, Any]) -> str:
    """The protocol that the data loaders of a config follow.

    Two loaders read the same images if they name the same dataset, files, partition and
    split; ``trainval`` holds ``train`` and ``val``. Files are not looked into.

    >>> loader = lambda split: dict(dataset=dict(type="PETA", split=split))
    >>> find_protocol(dict(
    ...     train_dataloader=loader("trainval"),
    ...     val_dataloader=loader("test"),
    ...     test_dataloader=loader("test"),
    ... ))
    'paper'

    Returns:
        One of ``PROTOCOLS``.

    Raises:
        ValueError: It follows none: it trains on nothing, or on what it chooses by or
            tests.
    """
    names = [f"{split}_dataloader" for split in ("train", "val", "test")]
    train, val, test = (list(_datasets_of(cfg.get(name))) for name in names)
    if not train:
        raise ValueError("it has no train_dataloader")
    _refuse_shared(train, test, names[0], names[2])
    if not val:
        return "fixed-schedule"
    if _shared(val, test):
        return "paper"
    _refuse_shared(train, val, names[0], names[1])
    return "val-selected"


def protocol_of_checkpoint(meta: Mapping[str, Any]) -> str | None:
    """The protocol by which a checkpoint was trained, by the config in its ``meta``.

    Returns:
        One of ``PROTOCOLS``; None if there is no such config, or it follows none.
    """
    try:
        return find_protocol(parse_config_data(meta["cfg"], "the checkpoint's config"))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _refuse_shared(one: list, other: list, name: str, other_name: str) -> None:
    found = _shared(one, other)
    if found:
        raise ValueError(f"{name} and {other_name} both read {found}")


def _shared(one: list[Mapping], other: list[Mapping]) -> str:
    """What two loaders both read; empty if they share nothing."""
    for first in one:
        for second in other:
            if _same_images(first, second):
                split = second.get("split") or "the whole"
                return f"{split} of {_type(second)}"
    return ""


def _same_images(one: Mapping, other: Mapping) -> bool:
    if any(_normal(one, field) != _normal(other, field) for field in _WHICH_DATA):
        return False
    rows = [dataset["indices"] for dataset in (one, other) if dataset.get("indices")]
    if len(rows) == 2 and rows[0] != rows[1]:
        return False  # such as two folds
    splits = [dataset.get("split") for dataset in (one, other)]
    parts = [_PARTS.get(split, {split}) for split in splits if split]
    return len(parts) < 2 or bool(parts[0] & parts[1])


def _normal(dataset: Mapping, field: str) -> Any:
    """A field in one spelling."""
    if field == "type":
        return _type(dataset)
    value = dataset.get(field)
    return osp.normpath(value) if isinstance(value, str) and value else value or None


def _type(dataset: Mapping) -> str:
    """The class of a dataset, without the scope of its registry."""
    return str(dataset.get("type")).rpartition(".")[2]


def _datasets_of(value: Any) -> Iterator[Mapping]:
    """The datasets of a loader, those inside of wrapped and joined ones."""
    if isinstance(value, (list, tuple)):
        for one in value:
            yield from _datasets_of(one)
    elif isinstance(value, Mapping):
        inner = value.get("dataset", value.get("datasets"))
        if inner is None:
            yield value
        else:
            yield from _datasets_of(inner)
