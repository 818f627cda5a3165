"""Trained models outside torch: export, and inference with ONNX Runtime alone.

Nothing is imported before it is asked for: :class:`OnnxPARInferencer` needs NumPy,
Pillow and ONNX Runtime only, and :func:`export_onnx` torch and the rest.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "OnnxPARInferencer": "mmpar.deploy.inferencer",
    "export_onnx": "mmpar.deploy.export",
}
"""Public name to the module that defines it."""

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
