"""Write a trained model to a file that runs without torch, and prove that it does."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mmpar.registry  # noqa: F401  checks the installation before MMEngine is imported

# isort: split
import numpy as np

from mmpar.apis.model_files import load_model
from mmpar.deploy.crops import Crops, draw_crops, load_crops, read_crops
from mmpar.deploy.graph import OPSET, build_graph, save_graph
from mmpar.deploy.inferencer import OnnxPARInferencer
from mmpar.deploy.openvino import ir_scorer, require_openvino, write_ir
from mmpar.deploy.parity import (
    Scorer,
    largest_difference,
    mean_accuracy,
    score_crops,
    torch_scorer,
)
from mmpar.deploy.precision import write_half, write_int8
from mmpar.structures.model_card import ModelCard
from mmpar.utils.atomic import atomic_path

TOLERANCES = {"fp32": 1e-4, "fp16": 5e-3}
"""Largest difference of a probability from torch's. In half precision rounding alone
moves a logit by some thousandths."""
PRECISIONS = (*TOLERANCES, "int8")


@dataclass(frozen=True)
class ExportReport:
    """What was written, and how it was checked.

    Attributes:
        files: ONNX, or OpenVINO's ``.xml`` and ``.bin``.
        precision: One of ``PRECISIONS``.
        crops: What it was checked on.
        difference: The largest of a probability from torch's, over all crops.
        tolerance: What was allowed; None for int8.
        mean_accuracy: mA of torch and of the file, in %, where labels were given.
    """

    files: tuple[Path, ...]
    precision: str
    crops: str
    difference: float
    tolerance: float | None
    mean_accuracy: tuple[float, float] | None = None

    def __str__(self) -> str:
        names = " and ".join(str(path) for path in self.files)
        size = sum(path.stat().st_size for path in self.files) / 2**20
        lines = [
            f"{names}: {self.precision}, opset {OPSET}, {size:.1f} MiB",
            f"checked on {self.crops}: at most {self.difference:.1e} from torch's "
            "probabilities"
            + (f" (allowed: {self.tolerance:g})" if self.tolerance else ""),
        ]
        if self.mean_accuracy:
            torch_mA, mA = self.mean_accuracy
            lines.append(f"mA {mA:.2f} %, in torch {torch_mA:.2f} %")
        return "\n".join(lines)


def export_onnx(
    source: Any,
    out: str | Path,
    precision: str = "fp32",
    *,
    takes_pixels: bool = False,
    images: Any = None,
    data: Any = None,
    split: str = "val",
    tolerance: float | None = None,
    max_mA_loss: float = 0.5,
    limit: int | None = None,
) -> ExportReport:
    """Export a model to ONNX, or to OpenVINO's IR, if it answers as torch does.

    The graph gives calibrated probabilities for any batch size, and the model's card is
    in its metadata, so :class:`mmpar.deploy.OnnxPARInferencer` needs nothing else.
    ``out`` is written after all checks have passed; until then, and if one fails, what
    was there stays as it was.

    Args:
        source: A published model, a checkpoint or a work dir; or a model in torch and
            its card.
        out: File name, ending in ``.onnx``, or ``.xml`` for OpenVINO (``.bin`` beside
            it).
        precision: ``"fp32"``; ``"fp16"``; or ``"int8"``, static and per channel, its
            ranges measured on ``images``.
        takes_pixels: Whether the graph takes uint8 RGB images (B, H, W, 3) at the
            model's size and normalises them itself.
        images: On which the export is checked, see
            :func:`mmpar.apis.image_inputs.iterate_images`; drawn persons by default. A
            model that reads keypoints is checked on drawn ones.
        data: A config, or its path, with labelled images, for int8.
        split: Whose data loader of ``data``, ``"val"`` or ``"test"``.
        tolerance: Largest difference of a probability from torch's; ``TOLERANCES`` by
            default. int8 is judged by its mA instead.
        max_mA_loss: How many points of mA int8 may lose on ``data``.
        limit: How many of ``images`` and ``data`` are read at most.

    Raises:
        ImportError: A package that the export needs is not installed.
        ValueError: The export differs too much from torch, or an argument does not fit.
    """
    out = Path(out)
    _check_arguments(out, precision, images, data)
    model, card = source if isinstance(source, tuple) else load_model(source)
    if card.needs_keypoints and images is not None:
        raise ValueError(
            f"the model {card.name} reads body keypoints, which images do not have; "
            "leave images out, and it is checked on drawn persons"
        )
    crops = draw_crops(card) if images is None else read_crops(card, images, limit)
    labelled = None if data is None else load_crops(card, data, split, limit)
    graph = build_graph(model, card, takes_pixels)
    expect = torch_scorer(model, card)
    with tempfile.TemporaryDirectory(prefix="mmpar-export-") as folder:
        files, score = _write(graph, precision, crops, Path(folder), out.suffix)
        allowed = None
        if precision != "int8":
            allowed = TOLERANCES[precision] if tolerance is None else tolerance
        difference = _check_scores(score, expect, crops, card, allowed)
        accuracy = None
        if labelled is not None:
            accuracy = _check_accuracy(score, expect, labelled, card, max_mA_loss)
        placed = _put_in_place(files, out)
    return ExportReport(placed, precision, crops.source, difference, allowed, accuracy)


def _check_arguments(out: Path, precision: str, images: Any, data: Any) -> None:
    if out.suffix not in (".onnx", ".xml"):
        raise ValueError(
            f"the export is to be called {out}; give a name that ends in .onnx, or in "
            ".xml for OpenVINO"
        )
    if precision not in PRECISIONS:
        raise ValueError(f"precision is one of {PRECISIONS}, got {precision!r}")
    if precision == "int8" and (images is None or data is None):
        raise ValueError(
            "int8 needs images, on which the ranges of activations are measured (some "
            "hundred of the training data), and data, a config with labelled images, "
            "on which it is seen how much mA is lost"
        )
    if out.suffix == ".xml":
        require_openvino()  # before minutes of work


def _write(
    graph: Any, precision: str, crops: Crops, folder: Path, ending: str
) -> tuple[list[Path], Scorer]:
    """The files in a folder, and what they answer."""
    path = folder / "model.onnx"
    as_ir = ending == ".xml"
    if precision == "int8":
        write_int8(graph, path, crops)
    elif precision == "fp16" and not as_ir:  # OpenVINO has a half precision of its own
        write_half(graph, path)
    else:
        save_graph(graph, path)
    if not as_ir:
        return [path], OnnxPARInferencer(path).score_array
    ir = folder / "model.xml"
    write_ir(path, ir, half=precision == "fp16")
    # The .xml comes last: who sees it finds the weights.
    return [ir.with_suffix(".bin"), ir], ir_scorer(ir, path)


def _check_scores(
    score: Scorer, expect: Scorer, crops: Crops, card: ModelCard, allowed: float | None
) -> float:
    expected = score_crops(expect, crops)
    found = score_crops(score, crops)
    difference, where = largest_difference(found, expected, card)
    if not difference <= (np.finfo(float).max if allowed is None else allowed):
        raise ValueError(
            f"the export answers differently: checked on {crops.source}, a probability "
            f"is {difference:.2e} from torch's ({where}); allowed are {allowed}. "
            "Nothing was written"
        )
    return difference


def _check_accuracy(
    score: Scorer, expect: Scorer, crops: Crops, card: ModelCard, allowed: float
) -> tuple[float, float]:
    before, after = (
        mean_accuracy(score_crops(one, crops), crops, card) for one in (expect, score)
    )
    if not before - after <= allowed:
        raise ValueError(
            f"the export has an mA of {after:.2f} % on {crops.source}, torch "
            f"{before:.2f} %: {before - after:.2f} points are lost, allowed are "
            f"{allowed:g}. Nothing was written"
        )
    return before, after


def _put_in_place(files: list[Path], out: Path) -> tuple[Path, ...]:
    placed = tuple(out.with_suffix(path.suffix) for path in files)
    for path, place in zip(files, placed):
        with atomic_path(place) as part:
            shutil.copyfile(path, part)
    return placed
