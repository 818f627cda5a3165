"""The card of a published model: everything but its weights, as checked data."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from mmpar.structures.attribute_schema import AttributeSchema
from mmpar.structures.decision import DecisionRule
from mmpar.structures.plain_data import (
    parse_json,
    plain,
    require_fields,
    require_sha256,
    require_type,
    to_canonical_json,
)
from mmpar.structures.preprocessing import Preprocessing
from mmpar.structures.protocols import PROTOCOLS
from mmpar.structures.region import assign_attributes, build_regions

FORMAT_VERSION = 2
_SINCE_VERSION_2 = ("protocol",)

MAX_BYTES = 1 << 20
"""Of a card as JSON, in UTF-8; real ones have some thousands."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_SCHEMA = ("names", "groups", "title", "exclusive")
_CHOSEN_BY = dict(metric=(str,), split=(str,), value=(float, int), checkpoint=(str,))
_TRAINING_DATA = dict(
    dataset=(str,),
    split=(str,),
    num_images=(int,),
    num_persons=(int, type(None)),
    labels_sha256=(str,),
)
_VERSIONS = dict(mmpar=(str,), torch=(str,))
ELSEWHERE = {
    "data_preprocessor": "preprocessing",
    "regions": "regions",
    "head.schema": "schema",
    "head.threshold": "decision",
}
"""Fields of a model's config to the field of the card that says the same."""
NOT_PUBLISHED = ("init_cfg", "pretrained", "lora")
"""Fields of parts that a published model is without: they name weights to load before
its own, or updates that are merged."""


@dataclass(frozen=True)
class ModelCard:
    """What a published model is, apart from its weights.

    Each fact is in one place: what the schema, the regions, the preprocessing and the
    decision rule say is not repeated in ``model``.

    Args:
        name: Of letters, digits, ``.``, ``_`` and ``-``.
        schema: The attributes, in the order of the logits.
        regions: Region name to the other arguments of :class:`Region`; empty if the
            model has none.
        model: Config of the model without ``init_cfg``, ``pretrained``, and what the
            other fields say (``data_preprocessor``, ``regions``, the head's ``schema``
            and ``threshold``).
        preprocessing: From an image to the model's input.
        decision: From logits to answers.
        chosen_by: ``dict(metric, split, value, checkpoint)`` by which the weights were
            chosen, or None for "unknown".
        positive_ratio: Share of positives of each attribute in the training data, None
            where unknown.
        training_data: ``dict(dataset, split, num_images, num_persons, labels_sha256)``,
            or None for "unknown"; ``num_persons`` is None where persons are not known.
        license: Of the weights.
        intended_use: What the model is meant for, and what not.
        versions: ``dict(mmpar, torch)`` of the machine that published it.
        needs_keypoints: Whether the model also reads body keypoints.
        weights_sha256: See :func:`mmpar.utils.model_file.hash_weights`.
        protocol: One of ``PROTOCOLS``, by which the training chose the weights, or None
            for "unknown", as in cards of version 1.
        format_version: Of this card.

    Raises:
        ValueError: A field is of another type, out of range, or contradicts another;
            names it.
    """

    name: str
    schema: AttributeSchema
    regions: Mapping[str, Mapping[str, Any]]
    model: Mapping[str, Any]
    preprocessing: Preprocessing
    decision: DecisionRule
    chosen_by: Mapping[str, Any] | None
    positive_ratio: tuple[float | None, ...]
    training_data: Mapping[str, Any] | None
    license: str
    intended_use: str
    versions: Mapping[str, str]
    needs_keypoints: bool
    weights_sha256: str
    protocol: str | None = None
    format_version: int = FORMAT_VERSION

    def __post_init__(self) -> None:
        for field in ("regions", "model", "chosen_by", "training_data", "versions"):
            object.__setattr__(self, field, plain(getattr(self, field), field))
        object.__setattr__(self, "positive_ratio", tuple(self.positive_ratio))
        _require_version(self.format_version)
        self._check_texts()
        self._check_records()
        self._check_model()
        self._check_attributes()

    def _check_texts(self) -> None:
        for field in ("name", "license", "intended_use"):
            require_type(getattr(self, field), str, field)
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                f"name is {self.name!r}, expected letters, digits, '.', '_' and '-'"
            )
        require_type(self.needs_keypoints, bool, "needs_keypoints")
        require_sha256(self.weights_sha256, "weights_sha256")

    def _check_records(self) -> None:
        _require_record(self.versions, _VERSIONS, "versions")
        known = (*PROTOCOLS, None) if self.format_version > 1 else (None,)
        if self.protocol not in known:
            raise ValueError(f"protocol is {self.protocol!r}, expected one of {known}")
        if self.chosen_by is not None:
            _require_record(self.chosen_by, _CHOSEN_BY, "chosen_by")
        if self.training_data is not None:
            _require_record(self.training_data, _TRAINING_DATA, "training_data")
            digest = self.training_data["labels_sha256"]
            require_sha256(digest, "training_data.labels_sha256")
            images = self.training_data["num_images"]
            persons = self.training_data["num_persons"]
            if not 1 <= (images if persons is None else persons) <= images:
                raise ValueError(
                    f"training_data.num_images is {images} and num_persons {persons}; "
                    "expected one image or more, and no more persons than images"
                )

    def _check_model(self) -> None:
        require_type(self.model, dict, "model")
        _refuse_unpublished(self.model, "model")
        head = self.model.get("head")
        require_type(head, dict, "model.head")
        for path in (*self.model, *(f"head.{key}" for key in head or ())):
            if path in ELSEWHERE:
                raise ValueError(
                    f"model.{path} is given twice: the card's field "
                    f"{ELSEWHERE[path]} says it"
                )

    def _check_attributes(self) -> None:
        if self.decision.schema != self.schema:
            raise ValueError("decision is for other attributes than those of schema")
        if self.regions:
            try:
                assign_attributes(build_regions(self.regions), self.schema)
            except (TypeError, ValueError, AttributeError) as error:
                raise ValueError(f"regions: {error}") from error
        if len(self.positive_ratio) != len(self.schema):
            raise ValueError(
                f"positive_ratio has {len(self.positive_ratio)} values for the "
                f"{len(self.schema)} attributes of the schema"
            )
        for name, ratio in zip(self.schema.names, self.positive_ratio):
            require_type(ratio, (float, type(None)), f"positive_ratio of {name!r}")
            if ratio is not None and not 0 <= ratio <= 1:
                raise ValueError(f"positive_ratio of {name!r} is {ratio}, not a share")

    def to_dict(self) -> dict[str, Any]:
        """Plain containers only."""
        data = {name: getattr(self, name) for name in _fields_of(self.format_version)}
        for name in ("schema", "preprocessing", "decision"):
            data[name] = data[name].to_dict()
        card: dict[str, Any] = plain(data, "card")
        return card

    @classmethod
    def from_dict(cls, data: Any) -> ModelCard:
        """The inverse of :meth:`to_dict`.

        Raises:
            ValueError: A field is missing, unknown, out of range or contradicts
                another; names it.
        """
        version = data.get("format_version") if isinstance(data, Mapping) else None
        if isinstance(data, Mapping):
            _require_version(version)
        read = require_fields(data, _fields_of(version), "the card")
        read["schema"] = _read_schema(read["schema"])
        read["preprocessing"] = Preprocessing.from_dict(read["preprocessing"])
        read["decision"] = DecisionRule.from_dict(read["schema"], read["decision"])
        require_type(read["positive_ratio"], list, "positive_ratio")
        return cls(**read)

    def to_json(self) -> str:
        """The one text of this card, with a digest by which damage is noticed.

        The digest is no signature: who changes a card on purpose can renew it.
        """
        data = self.to_dict()
        return to_canonical_json(dict(card=data, sha256=_digest(data)))

    @classmethod
    def from_json(cls, text: str) -> ModelCard:
        """The inverse of :meth:`to_json`.

        Raises:
            ValueError: It is too long, not such a text to the last byte, or
                :meth:`from_dict` refuses it.
        """
        if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
            raise ValueError(f"the card has more than {MAX_BYTES:,} bytes")
        outer = require_fields(
            parse_json(text, "the card"), ("card", "sha256"), "the card's text"
        )
        if outer["sha256"] != _digest(outer["card"]):
            raise ValueError(
                "the card was changed or is damaged: its SHA-256 is "
                f"{_digest(outer['card'])}, it says {outer['sha256']!r}"
            )
        card = cls.from_dict(outer["card"])
        if card.to_json() != text:
            raise ValueError(
                "the card is not in its one form (numbers, order of keys, spaces): it "
                "was written by other software or changed"
            )
        return card


def _digest(data: Any) -> str:
    text = to_canonical_json(data).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()


def _fields_of(version: Any) -> list[str]:
    """The fields of a card of this version."""
    missing = _SINCE_VERSION_2 if version == 1 else ()
    return [field.name for field in fields(ModelCard) if field.name not in missing]


def _require_version(version: Any) -> None:
    require_type(version, int, "format_version")
    if not 1 <= version <= FORMAT_VERSION:
        raise ValueError(
            f"format_version is {version}; this mmpar reads 1 to {FORMAT_VERSION}. "
            "Update mmpar, or publish the model with this one"
        )


def _require_record(
    data: Any, kinds: Mapping[str, tuple[type, ...]], where: str
) -> None:
    require_fields(data, list(kinds), where)
    for name, expected in kinds.items():
        require_type(data[name], expected, f"{where}.{name}")
        if data[name] == "":
            raise ValueError(f"{where}.{name} is empty")


def _read_schema(data: Any) -> AttributeSchema:
    found = require_fields(data, _SCHEMA, "schema")
    require_type(found["title"], str, "schema.title")
    require_type(found["groups"], dict, "schema.groups")
    lists = dict(names=found["names"])
    require_type(found["exclusive"], list, "schema.exclusive")
    lists.update({f"exclusive[{i}]": v for i, v in enumerate(found["exclusive"])})
    lists.update({f"groups.{name}": v for name, v in found["groups"].items()})
    for name, values in lists.items():
        require_type(values, list, f"schema.{name}")
        for value in values:
            require_type(value, str, f"a name in schema.{name}")
    return AttributeSchema(**found)


def _refuse_unpublished(value: Any, where: str) -> None:
    """Weights come from the file; nothing in it names others to fetch."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key in NOT_PUBLISHED:
                raise ValueError(f"{where}.{key}: a published model is without it")
            _refuse_unpublished(item, f"{where}.{key}")
    elif isinstance(value, list):
        for i, item in enumerate(value):
            _refuse_unpublished(item, f"{where}[{i}]")
