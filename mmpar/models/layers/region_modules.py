"""Modules under the names of body regions."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn


def modules_by_region(modules: Mapping[str, nn.Module]) -> nn.ModuleDict:
    """One module per region, so that weights go by name and not by order.

    Raises:
        ValueError: A region has the name of something that every ``ModuleDict`` has.
    """
    try:
        return nn.ModuleDict(modules)
    except KeyError as error:
        raise ValueError(
            f"a region of {list(modules)} has a name that torch keeps for itself "
            f"({error}); give it another in model.regions"
        ) from error
