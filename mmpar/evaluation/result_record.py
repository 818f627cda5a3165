"""What a result comes from: a plain dict that is written beside the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmpar.structures.protocols import PROTOCOLS

UNKNOWN = "unknown"
Record = Mapping[str, Any]
"""Plain containers only, each None or absent where it is not known:

- ``protocol``: one of ``PROTOCOLS``, by the config of the test,
- ``config``: ``dict(file, text)``,
- ``checkpoint``: ``dict(file, weights_sha256, protocol, chosen_by, training_data)``;
  ``protocol`` is that of the training, by the checkpoint's own config,
- ``data``: of :func:`mmpar.datasets.training_record.record_data`,
- ``persons``: shares of the images that show a ``seen``, an ``unseen`` or an
  ``unknown`` person,
- ``software``: ``dict(mmpar, git, torch)``.
"""


def record_lines(record: Record) -> list[str]:
    """A record for people, one line for each of its fields, or one for none at all.

    >>> record_lines(dict(protocol="fixed-schedule"))[0]
    'protocol: fixed-schedule, the last checkpoint, chosen by nothing'
    """
    if not record:
        return [f"protocol, config, checkpoint and data: {UNKNOWN}"]
    config = record.get("config") or {}
    lines = dict(
        protocol=_protocol(record.get("protocol")),
        config=config.get("file") or UNKNOWN,
        checkpoint=_checkpoint(record.get("checkpoint") or {}),
        data=describe_data(record.get("data")),
        persons=_persons(record.get("persons")),
        software=_software(record.get("software") or {}),
    )
    return [f"{name}: {line}" for name, line in lines.items()]


def describe_data(data: Mapping[str, Any] | None) -> str:
    """A record of data in a line; None is unknown."""
    if data is None:
        return UNKNOWN
    persons = data.get("num_persons")
    count = "persons unknown" if persons is None else f"{persons:,} persons"
    return f"{data['dataset']} {data['split']}, {data['num_images']:,} images, {count}"


def describe_choice(chosen_by: Mapping[str, Any] | None) -> str:
    """By which number a checkpoint was chosen; None is unknown."""
    if chosen_by is None:
        return UNKNOWN
    return f"{chosen_by['metric']} {chosen_by['value']:g} on {chosen_by['split']}"


def _protocol(name: str | None) -> str:
    return f"{name}, {PROTOCOLS[name]}" if name in PROTOCOLS else name or UNKNOWN


def _checkpoint(found: Mapping[str, Any]) -> str:
    if not found:
        return UNKNOWN
    return (
        f"{found['file']}, weights {found['weights_sha256'][:8]}, protocol "
        f"{found['protocol'] or UNKNOWN}, chosen by "
        f"{describe_choice(found['chosen_by'])}, trained on "
        f"{describe_data(found['training_data'])}"
    )


def _persons(shares: Mapping[str, float] | None) -> str:
    if shares is None:
        return UNKNOWN
    found = [f"{100 * share:.1f} % {name}" for name, share in shares.items() if share]
    return f"of the images, {', '.join(found)}"


def _software(found: Mapping[str, Any]) -> str:
    git = found.get("git") or UNKNOWN
    return f"mmpar {found.get('mmpar') or UNKNOWN}, commit {git}, torch " + (
        found.get("torch") or UNKNOWN
    )
