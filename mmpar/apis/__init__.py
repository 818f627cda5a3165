"""A trained model in use: inferencers, published files, models by name.

Nothing is imported before it is asked for, so that an exported model runs where torch
and MMEngine are not installed.
"""

from __future__ import annotations

from mmpar.utils.lazy import import_on_demand

_HOMES = {
    "PARInferencer": "mmpar.apis.inferencer",
    "convert_checkpoint": "mmpar.apis.official_checkpoints",
    "get_model": "mmpar.apis.model_zoo",
    "list_models": "mmpar.apis.model_zoo",
    "load_model": "mmpar.apis.model_files",
    "publish": "mmpar.apis.model_files",
    "read_model_file": "mmpar.apis.model_files",
    "write_model_file": "mmpar.apis.model_files",
}
"""Public name to the module that defines it."""

__all__ = list(_HOMES)

__getattr__ = import_on_demand(__name__, _HOMES)
