"""What a model gives after its export to ONNX."""

from __future__ import annotations

import inspect
import io
import warnings
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn


def run_exported(
    model: nn.Module, example: Sequence[Tensor], inputs: Sequence[Tensor]
) -> Tensor:
    """Export with any batch size by an example, run by onnxruntime on other inputs."""
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    names = [f"input{i}" for i in range(len(example))]
    file = io.BytesIO()
    if "dynamo" not in inspect.signature(torch.onnx.export).parameters:
        pytest.skip(f"torch {torch.__version__}: mmpar exports with newer ones only")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            tuple(example),
            file,
            dynamo=False,
            opset_version=17,
            input_names=names,
            dynamic_axes={name: {0: "batch"} for name in names},
        )
    session = onnxruntime.InferenceSession(file.getvalue())
    feed = {name: value.numpy() for name, value in zip(names, inputs)}
    return torch.from_numpy(session.run(None, feed)[0])
