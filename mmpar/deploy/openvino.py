"""OpenVINO's intermediate representation (IR) of an exported graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mmpar.deploy.inferencer import CARD, SCORES, OnnxPARInferencer
from mmpar.deploy.parity import Scorer


def require_openvino() -> Any:
    """The package.

    Raises:
        ImportError: It is not installed.
    """
    try:
        import openvino
    except ImportError as error:
        raise ImportError(
            "OpenVINO's IR (.xml) is written by OpenVINO: pip install openvino"
        ) from error
    return openvino


def write_ir(onnx_file: Path, path: Path, half: bool) -> None:
    """Write the IR, ``.xml`` and ``.bin``, of an exported ONNX file.

    The card is in the runtime information, under ``mmpar``.

    Args:
        onnx_file: With a card.
        path: Ends in ``.xml``.
        half: Store weights in float16.
    """
    openvino = require_openvino()
    ir = openvino.convert_model(str(onnx_file))
    ir.set_rt_info(OnnxPARInferencer(onnx_file).card.to_json(), [CARD])
    openvino.save_model(ir, str(path), compress_to_fp16=half)


def ir_scorer(path: Path, onnx_file: Path) -> Scorer:
    """Probabilities from an IR, computed in float32, on the CPU.

    Args:
        path: The IR.
        onnx_file: What it was written from, whose inputs are the same.
    """
    openvino = require_openvino()
    config = dict(INFERENCE_PRECISION_HINT="f32")
    compiled = openvino.Core().compile_model(str(path), "CPU", config)
    inferencer = OnnxPARInferencer(onnx_file)

    def score(images: np.ndarray, keypoints: np.ndarray | None) -> np.ndarray:
        return np.array(compiled(inferencer.feed(images, keypoints))[SCORES])

    return score
