"""Smaller and faster forms of an exported graph: half precision and int8."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mmpar.deploy.crops import Crops
from mmpar.deploy.graph import label_card, save_graph
from mmpar.deploy.inferencer import OnnxPARInferencer

QUANTIZED = ("Conv", "Gemm", "MatMul", "Add", "Relu", "MaxPool", "Concat")
"""Operators that compute in int8; the rest is cheap, or about positions."""


def write_half(graph: Any, path: str | Path) -> None:
    """Write a graph with weights and arithmetic in float16; inputs and output stay.

    Sampling positions and what they are computed from stay in float32: half precision
    is a tenth of a pixel off.
    """
    from onnxruntime.transformers.float16 import convert_float_to_float16

    half = convert_float_to_float16(
        graph, keep_io_types=True, node_block_list=_position_nodes(graph)
    )
    save_graph(half, path)


def _position_nodes(graph: Any) -> list[str]:
    """Nodes between the last convolution or product and where something is sampled."""
    makers = {name: node for node in graph.graph.node for name in node.output}
    found: dict[str, Any] = {}
    pending = []
    for node in graph.graph.node:
        if node.op_type in ("GridSample", "ScatterElements"):
            found[node.name] = node
            pending += list(node.input[1:])
    while pending:
        node = makers.get(pending.pop())
        if node is None or node.name in found:
            continue
        if node.op_type not in ("Conv", "Gemm", "MatMul"):
            found[node.name] = node
            pending += list(node.input)
    return [*found]


def write_int8(graph: Any, path: str | Path, crops: Crops, batch_size: int = 8) -> None:
    """Write a graph quantised to int8: static, QDQ, per channel, by ONNX Runtime.

    Weights have 7 bits: with 8, processors without VNNI saturate in the middle of a
    product, and the same file would answer differently there.

    Args:
        graph: In float32, with a card.
        path: The file.
        crops: What the ranges of activations are measured on.
        batch_size: Crops at once.
    """
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    path = Path(path)
    plain, folded = path.with_suffix(".plain.onnx"), path.with_suffix(".folded.onnx")
    save_graph(graph, plain)
    reader = _Feeds(OnnxPARInferencer(plain), crops, batch_size)
    quant_pre_process(str(plain), str(folded), skip_symbolic_shape=True)
    quantize_static(
        str(folded),
        str(path),
        reader,
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=[*QUANTIZED],
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    quantized = onnx.load(str(path))
    label_card(quantized, reader.inferencer.card)
    save_graph(quantized, path)


class _Feeds:
    """What the calibration runs on; ONNX Runtime asks for ``get_next``."""

    def __init__(
        self, inferencer: OnnxPARInferencer, crops: Crops, batch_size: int
    ) -> None:
        self.inferencer = inferencer
        self._feeds = self._iterate(crops, batch_size)

    def _iterate(
        self, crops: Crops, batch_size: int
    ) -> Iterator[dict[str, np.ndarray]]:
        for start in range(0, len(crops), batch_size):
            part = slice(start, start + batch_size)
            points = None if crops.keypoints is None else crops.keypoints[part]
            yield self.inferencer.feed(crops.images[part], points)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Inputs of the next batch, None after the last."""
        return next(self._feeds, None)
