"""ONNX Runtime, with errors that name the file.

A graph reaches no files and no network, but nothing bounds the memory and the time that
it takes: a model from a source that is not trusted belongs in a container with limits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np


class OnnxSession:
    """A model that ONNX Runtime has opened.

    Args:
        file: The model, which must exist.
        providers: Execution providers, in order of preference; None takes all that the
            installation has.
        num_threads: Within an operator; 0 leaves it to ONNX Runtime.

    Attributes:
        inputs: What the graph takes: each has ``name``, ``type`` and ``shape``.
        outputs: What it gives.
        metadata: Text by its name.

    Raises:
        ImportError: ONNX Runtime is not installed.
        ValueError: It cannot run the file.
    """

    def __init__(
        self,
        file: str | Path,
        providers: Sequence[Any] | None = None,
        num_threads: int = 0,
    ) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise ImportError(
                f"{file} is run by onnxruntime, which is not installed: pip install "
                "onnxruntime"
            ) from error
        self.file = file
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = num_threads
        if providers is None:
            providers = onnxruntime.get_available_providers()
        try:
            self._session = onnxruntime.InferenceSession(
                str(file), options, providers=[*providers]
            )
            # Here, as their texts are decoded when they are asked for.
            self.inputs: list[Any] = self._session.get_inputs()
            self.outputs: list[Any] = self._session.get_outputs()
            for value in (*self.inputs, *self.outputs):
                _ = value.name, value.type, value.shape
            metadata = self._session.get_modelmeta().custom_metadata_map
            self.metadata: Mapping[str, str] = metadata
        except Exception as error:  # of a dozen types that have no common base
            raise self._fault(error) from error

    def run(
        self, names: Sequence[str] | None, feed: Mapping[str, np.ndarray]
    ) -> list[np.ndarray]:
        """Some outputs, or all, for these inputs.

        Raises:
            ValueError: The graph does not take them, or fails.
        """
        try:
            return self._session.run(names, feed)
        except Exception as error:  # as above
            raise self._fault(error) from error

    def _fault(self, error: Exception) -> ValueError:
        return ValueError(f"{self.file} cannot be run by ONNX Runtime: {error}")
