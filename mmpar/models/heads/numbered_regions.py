"""Which region each classifier of an old checkpoint belongs to.

mmpar used to number SSPNet's classifiers in the order of the config. MMEngine sorts the
keys of a config that it writes, so the order is known only as far as the sizes of the
classifiers reveal it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

SHIPPED = ("head", "torso", "bottom", "whole")
"""Regions of mmpar's own configs in the order in which these list them."""


def order_of_numbered(
    found: Sequence[int], sizes: Mapping[str, int], listed: Sequence[str]
) -> tuple[str, ...]:
    """The regions in the order of their numbers.

    If all sizes differ, only one order fits. Otherwise the orders are considered that
    the training's config can have had: that of mmpar's own configs, that of the config
    at hand, and the sorted one of a config that MMEngine wrote. If the config at hand
    is sorted, it may be a written one, which does not show the original order.

    >>> order_of_numbered([3, 1], dict(a=1, b=3), ["a", "b"])
    ('b', 'a')

    Args:
        found: Number of attributes of each numbered classifier.
        sizes: Region name to its number of attributes, the same numbers.
        listed: Region names in the order of the config at hand.

    Raises:
        ValueError: No such order fits the sizes, or two do.
    """
    if len(set(found)) == len(found):
        by_size = {size: name for name, size in sizes.items()}
        return tuple(by_size[size] for size in found)
    ordered = tuple(name for name in listed if name in sizes)
    in_sorted = tuple(sorted(sizes))
    orders = {in_sorted}
    if set(sizes) == set(SHIPPED):
        orders.add(SHIPPED)
    if ordered != in_sorted:
        orders.add(ordered)
    if len(orders) == 1:
        orders.clear()
    fitting = [o for o in orders if [sizes[name] for name in o] == list(found)]
    if len(fitting) == 1:
        return fitting[0]
    raise ValueError(
        "the checkpoint numbers its classifiers in the order of the config that it was "
        "trained with, as mmpar did before weights were stored by region name. They "
        f"have {list(found)} attributes and the regions {dict(sizes)}, so which "
        "belongs to which is ambiguous. If you know, rename head.classifiers.0.* and "
        "so on to head.classifiers.REGION.* in its state_dict (and the rows of "
        "neck.scale_selection.logits and .chosen, if there are any, to "
        "neck.scale_selection.regions.REGION.logits and .chosen) and save it"
    )
