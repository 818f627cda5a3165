"""Behaviour that joins the Runner."""

from mmpar.engine.hooks.positive_ratio_hook import PositiveRatioHook
from mmpar.engine.hooks.schema_check_hook import SchemaCheckHook

__all__ = ["PositiveRatioHook", "SchemaCheckHook"]
