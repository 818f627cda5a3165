"""Trained models outside torch: export, and inference with ONNX Runtime alone.

Nothing is imported before it is asked for: :class:`OnnxPARInferencer` needs NumPy,
Pillow and ONNX Runtime only, and :func:`export_onnx` torch and the rest.
"""

from __future__ import annotations

from mmpar.utils.lazy import import_on_demand

_HOMES = {
    "OnnxPARInferencer": "mmpar.deploy.inferencer",
    "export_onnx": "mmpar.deploy.export",
}
"""Public name to the module that defines it."""

__all__ = list(_HOMES)

__getattr__ = import_on_demand(__name__, _HOMES)
