"""What a model gives after its export to ONNX."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from tests.fixtures.versions import FROM_TORCHSCRIPT


def run_exported(
    model: nn.Module, example: Sequence[Tensor], inputs: Sequence[Tensor]
) -> Tensor:
    """Export with any batch size by an example, run by onnxruntime on other inputs."""
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    names = [f"input{i}" for i in range(len(example))]
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            tuple(example),
            file,
            **FROM_TORCHSCRIPT,
            opset_version=17,
            input_names=names,
            dynamic_axes={name: {0: "batch"} for name in names},
        )
    session = onnxruntime.InferenceSession(file.getvalue())
    read = {one.name for one in session.get_inputs()}  # stages of unread levels are not
    feed = {n: value.numpy() for n, value in zip(names, inputs) if n in read}
    return torch.from_numpy(session.run(None, feed)[0])
