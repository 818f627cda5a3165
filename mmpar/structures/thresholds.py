"""Thresholds of decisions: one number an attribute, from what a config may hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Union

from mmpar.structures.attribute_schema import AttributeSchema

Threshold = Union[float, Sequence[float], Mapping[str, float]]

DEFAULT = 0.5
_FEW = 8  # thresholds that a line of the log has room for


def build_thresholds(spec: Threshold, schema: AttributeSchema) -> tuple[float, ...]:
    """One threshold an attribute, in the order of the schema.

    >>> schema = AttributeSchema(("Hat", "Bag"))
    >>> build_thresholds(dict(Bag=0.3), schema)
    (0.5, 0.3)

    Args:
        spec: One number for all, one for each attribute in the order of the schema (a
            sequence or an array), or a mapping from attribute names; those that it does
            not name have 0.5.
        schema: The attributes.

    Raises:
        ValueError: Another number of thresholds, an unknown name, or one that is not
            in [0, 1].
    """
    if hasattr(spec, "tolist"):  # a NumPy array or number, or a tensor
        spec = spec.tolist()
    if isinstance(spec, Mapping):
        given = schema.by_index(spec)
        values = [given.get(i, DEFAULT) for i in range(len(schema))]
    elif isinstance(spec, Sequence) and not isinstance(spec, str):
        values = list(spec)
    else:
        values = [spec] * len(schema)
    if len(values) != len(schema):
        raise ValueError(
            f"got {len(values)} thresholds for the {len(schema)} attributes of "
            f"{schema.title!r}; give one number, one for each attribute in the order "
            "of the schema, or a mapping from attribute names"
        )
    for name, value in zip(schema.names, values):
        number = isinstance(value, Real) and not isinstance(value, bool)
        if not number or not 0 <= value <= 1:
            raise ValueError(
                f"the threshold of {name!r} is {value!r}; scores are probabilities, so "
                "give a number from 0 to 1"
            )
    return tuple(float(value) for value in values)


def describe_thresholds(thresholds: Sequence[float], schema: AttributeSchema) -> str:
    """The thresholds in a few words, for a line of the log.

    >>> describe_thresholds((0.5, 0.3), AttributeSchema(("Hat", "Bag")))
    'Bag 0.3, all others 0.5'
    """
    if len(set(thresholds)) == 1:
        return f"{thresholds[0]:g} for all attributes"
    others = [
        f"{name} {value:g}"
        for name, value in zip(schema.names, thresholds)
        if value != DEFAULT
    ]
    if len(others) > _FEW:
        span = f"{min(thresholds):.3g} to {max(thresholds):.3g}"
        return f"one per attribute, from {span}"
    tail = [f"all others {DEFAULT:g}"] if len(others) < len(schema) else []
    return ", ".join([*others, *tail])
