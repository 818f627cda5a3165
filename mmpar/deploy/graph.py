"""From a torch model to an ONNX graph that says what it is."""

from __future__ import annotations

import copy
import inspect
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from mmpretrain.models.utils import ShiftWindowMSA
from torch import Tensor, nn

from mmpar.deploy.inferencer import CARD, IMAGES, KEYPOINTS, SCORES, seal
from mmpar.models.layers import CalibratedScores
from mmpar.structures.model_card import ModelCard

OPSET = 18
"""Of the ONNX files: what torch's exporter writes without a conversion."""


class ScoringModel(nn.Module):
    """A trained model from images to calibrated probabilities.

    Args:
        model: A classifier; copied, so that it stays as it is.
        card: Its card.
        takes_pixels: Whether the images are uint8, (B, H, W, 3), RGB, and are
            normalised here; else they are normalised, (B, 3, H, W).
    """

    mean: Tensor
    std: Tensor

    def __init__(self, model: Any, card: ModelCard, takes_pixels: bool = False) -> None:
        super().__init__()
        self.model = copy.deepcopy(model).cpu().float().eval()
        if getattr(getattr(self.model, "neck", None), "scale_selection", None):
            self.model.neck.fix_levels()
        self.takes_pixels = takes_pixels
        self.to_rgb = card.preprocessing.to_rgb
        for name in ("mean", "std"):
            values = torch.tensor(getattr(card.preprocessing, name))
            self.register_buffer(name, values.view(-1, 1, 1), persistent=False)
        self.scores = CalibratedScores(card.decision.calibration)

    def forward(self, images: Tensor, keypoints: Tensor | None = None) -> Tensor:
        """Probabilities (B, A).

        Args:
            images: See above.
            keypoints: (B, 17, 3), x, y in fractions of the image and visibility.
        """
        if self.takes_pixels:
            values = images.permute(0, 3, 1, 2).float()
            values = values if self.to_rgb else values.flip(1)
            images = (values - self.mean) / self.std
        if keypoints is None:
            features = self.model.extract_feat(images)
        else:
            features = self.model.read_keypoints(images, keypoints)
        return self.scores(self.model.head(features))


def build_graph(model: Any, card: ModelCard, takes_pixels: bool = False) -> Any:
    """An ONNX model, as a protobuf, with the card in its metadata.

    Args:
        model: The model that the card describes.
        card: Its card.
        takes_pixels: See :class:`ScoringModel`.

    Raises:
        ImportError: torch is too old, or the packages of its exporter are missing.
    """
    _require_exporter()
    height, width = card.preprocessing.height, card.preprocessing.width
    # Of two: torch takes a size of 1 for a constant.
    shape = (2, height, width, 3) if takes_pixels else (2, 3, height, width)
    kind = torch.uint8 if takes_pixels else torch.float32
    inputs = {IMAGES: torch.zeros(shape, dtype=kind)}
    scoring = ScoringModel(model, card, takes_pixels).eval()
    if card.needs_keypoints:
        inputs[KEYPOINTS] = torch.zeros(2, 17, 3)
        scoring.model.stage_grids(torch.zeros(1, 3, height, width))  # not while tracing
    batch = {0: torch.export.Dim("batch")}
    with warnings.catch_warnings(), torch.no_grad(), _batches_of_any_size():
        warnings.simplefilter("ignore")  # of torch about its own code
        program = torch.onnx.export(
            scoring,
            tuple(inputs.values()),
            dynamo=True,
            dynamic_shapes=(batch,) * len(inputs),
            input_names=[*inputs],
            output_names=[SCORES],
            opset_version=OPSET,
            verbose=False,
        )
    assert program is not None  # it is with dynamo
    graph = program.model_proto
    _describe(graph, card, takes_pixels)
    return graph


@contextmanager
def _batches_of_any_size() -> Iterator[None]:
    """Let Swin's windows count their images by whole numbers.

    mmpretrain divides as floats, from which torch's exporter takes the batch size of
    the example for a constant: the graph would answer wrongly at any other.
    """

    def window_reverse(windows: Tensor, H: int, W: int, window_size: int) -> Tensor:
        rows, columns = H // window_size, W // window_size
        inner = (window_size, window_size, windows.shape[-1])
        x = windows.view(windows.shape[0] // (rows * columns), rows, columns, *inner)
        return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, H, W, windows.shape[-1])

    as_it_was = ShiftWindowMSA.window_reverse
    ShiftWindowMSA.window_reverse = staticmethod(window_reverse)
    try:
        yield
    finally:
        ShiftWindowMSA.window_reverse = staticmethod(as_it_was)


def _describe(graph: Any, card: ModelCard, takes_pixels: bool) -> None:
    """What a person or a program reads in the file."""
    label_card(graph, card)
    steps = card.preprocessing
    size = f"{steps.width} x {steps.height} pixels (W x H)"
    channels = "RGB" if steps.to_rgb else "BGR"
    texts = {
        IMAGES: f"uint8 RGB (B, H, W, 3), {size}"
        if takes_pixels
        else f"float32 {channels} (B, 3, H, W), {size}, on the scale of 0 to 255 "
        f"minus {list(steps.mean)}, divided by {list(steps.std)}",
        KEYPOINTS: "COCO's 17, (B, 17, 3): x, y in fractions of the image, visibility",
        SCORES: f"probabilities (B, A) of: {', '.join(card.schema.names)}",
    }
    for value in (*graph.graph.input, *graph.graph.output):
        value.doc_string = texts[value.name]
    graph.producer_name, graph.producer_version = "mmpar", card.versions["mmpar"]


def label_card(graph: Any, card: ModelCard) -> None:
    """Write the card, and nothing else, into the metadata of an ONNX model."""
    del graph.metadata_props[:]
    graph.metadata_props.add(key=CARD, value=card.to_json())


def save_graph(graph: Any, path: str | Path) -> None:
    """Write an ONNX file that :class:`OnnxPARInferencer` finds whole."""
    Path(path).write_bytes(seal(graph.SerializeToString()))


def _require_exporter() -> None:
    if "dynamo" not in inspect.signature(torch.onnx.export).parameters:
        raise ImportError(
            f"torch {torch.__version__} has no exporter of whole graphs "
            "(torch.onnx.export(dynamo=True)); install torch 2.6 or newer to export"
        )
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"{error.name} is not installed, which the export needs: pip install "
            "'mmpar[optional]', or onnx onnxscript onnxruntime"
        ) from error
