"""Time from image files to answers, by every way to run a model, side by side.

python tools/benchmarks/inference.py MODEL [--labelled CONFIG]

MODEL is a published file, a checkpoint or a work dir, or a config, for random weights.
The input has the size that the model's card says. All forms of the model take turns in
random order on the same normalized crops. Prints two Markdown tables, milliseconds per
image at each batch size, medians of the turns: the forms of the model, and the steps
around it: decoding JPEG files of 100 x 200 pixels, resizing, normalizing (torch and
NumPy), building the answers, and all of it at once; and before them the size of the
ONNX files. With --labelled, also the mA of each form on the test split of a config,
whose training images calibrate int8; else drawn crops do. Other work on the machine
spoils the figures, threads that wait for each other most: the load before and after is
printed.
"""

from __future__ import annotations

import argparse
import copy
import os
import platform
import statistics
import tempfile
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from PIL import Image
from turns import turns

from mmpar.apis.image_inputs import iterate_images
from mmpar.apis.inferencer import TorchPredictor
from mmpar.apis.model_files import load_model
from mmpar.deploy import OnnxPARInferencer
from mmpar.deploy.crops import Crops, draw_crops, load_crops
from mmpar.deploy.graph import build_graph, save_graph
from mmpar.deploy.parity import mean_accuracy
from mmpar.deploy.precision import write_int8
from mmpar.registry import MODELS
from mmpar.synthetic import draw_person

Scorer = Callable[[np.ndarray], Any]
"""From normalized images, (B, 3, H, W), to what the model gives."""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--calibration", type=int, default=128, help="crops for int8")
    parser.add_argument("--labelled", metavar="CONFIG", help="judges mA")
    parser.add_argument("--limit", type=int, help="of the test images for mA")
    parser.add_argument(
        "--compile", action="store_true", help="also torch.compile, which takes minutes"
    )
    return parser.parse_args()


def main() -> None:
    """Print the tables."""
    args = parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(args.threads)
    with tempfile.TemporaryDirectory(prefix="mmpar-inference-") as folder:
        run(args, Path(folder))


def run(args: argparse.Namespace, folder: Path) -> None:
    """Time and judge a model with a folder for its exports."""
    source = args.model
    if source.endswith(".py"):
        source = write_random(Config.fromfile(source), folder / Path(source).stem)
    predictor = TorchPredictor(source, "cpu")
    model, card = load_model(source)
    calibration = draw_crops(card, args.calibration)
    if args.labelled:
        calibration = load_training(card, args.labelled, args.calibration)
    graph = build_graph(model, card)
    save_graph(graph, folder / "fp32.onnx")
    write_int8(graph, folder / "int8.onnx", calibration)
    exported = OnnxPARInferencer(folder / "fp32.onnx", num_threads=args.threads)
    forms = {
        **torch_forms(model, args.compile),
        "ONNX Runtime fp32": onnx_form(exported),
        "ONNX Runtime int8": onnx_form(
            OnnxPARInferencer(folder / "int8.onnx", num_threads=args.threads)
        ),
        **openvino_forms(folder, args.threads),
    }
    size = card.preprocessing
    bytes_of = {path.stem: path.stat().st_size for path in folder.glob("*.onnx")}
    print(
        f"{card.name}, {size.width}x{size.height}, {args.threads} threads, "
        f"{platform.processor() or platform.machine()} "
        f"({torch.backends.cpu.get_cpu_capability()}), torch {torch.__version__}, "
        f"ONNX Runtime {onnxruntime.__version__}, medians of {args.repeats} turns, "
        f"load {os.getloadavg()[0]:.1f}; ONNX files: fp32 "
        f"{bytes_of['fp32'] / 2**20:.2f} MiB, int8 {bytes_of['int8'] / 2**20:.2f} MiB\n"
    )
    print_forms(forms, exported, args)
    print_steps(predictor, exported, args, folder)
    if args.labelled:
        print_accuracy(forms, exported, args)
    print(f"load at the end {os.getloadavg()[0]:.1f}")


def write_random(cfg: Config, path: Path) -> str:
    """A checkpoint of a config's model with random weights."""
    cfg.model.backbone.init_cfg = None
    with DefaultScope.overwrite_default_scope("mmpar"):
        model = MODELS.build(cfg.model)
    meta = dict(cfg=cfg.pretty_text, experiment_name=path.name)
    file = f"{path}.pth"
    torch.save(dict(state_dict=model.state_dict(), meta=meta), file)
    return file


def load_training(card: Any, config: str, count: int) -> Crops:
    """Crops of the training split, through the test pipeline."""
    cfg = Config.fromfile(config)
    pipeline = cfg.test_dataloader.dataset.pipeline
    cfg.test_dataloader.dataset = {**cfg.train_dataloader.dataset, "pipeline": pipeline}
    return load_crops(card, cfg, "test", count)


def torch_forms(model: Any, compiled: bool) -> dict[str, Scorer]:
    """torch in its several forms; each gives logits."""
    last = copy.deepcopy(model).to(memory_format=torch.channels_last)
    forms: dict[str, Scorer] = {
        "torch eager": partial(run_torch, model),
        "torch channels_last": partial(run_torch, last, channels_last=True),
        "torch channels_last bf16": partial(
            run_torch, last, channels_last=True, dtype=torch.bfloat16
        ),
    }
    if compiled:
        forms["torch.compile"] = partial(
            run_torch, torch.compile(copy.deepcopy(model), dynamic=False)
        )
    return forms


@torch.inference_mode()
def run_torch(
    model: Any,
    images: np.ndarray,
    channels_last: bool = False,
    dtype: torch.dtype | None = None,
) -> np.ndarray:
    """Logits (B, A)."""
    tensor = torch.from_numpy(images)
    if channels_last:
        tensor = tensor.contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype, enabled=dtype is not None):
        return model(tensor, None, mode="tensor").float().numpy()


def onnx_form(exported: OnnxPARInferencer) -> Scorer:
    """ONNX Runtime; gives probabilities."""
    return lambda images: exported.session.run(None, dict(images=images))[0]


def openvino_forms(folder: Path, threads: int) -> dict[str, Scorer]:
    """OpenVINO on the same graphs, where it is installed."""
    try:
        import openvino
    except ImportError:
        print("OpenVINO is not installed and left out: pip install openvino\n")
        return {}
    options = dict(INFERENCE_PRECISION_HINT="f32", INFERENCE_NUM_THREADS=threads)
    forms: dict[str, Scorer] = {}
    for precision in ("fp32", "int8"):
        path = str(folder / f"{precision}.onnx")
        compiled = openvino.Core().compile_model(path, "CPU", options)
        forms[f"OpenVINO {precision}"] = partial(run_openvino, compiled)
    return forms


def run_openvino(compiled: Any, images: np.ndarray) -> np.ndarray:
    """Probabilities (B, A)."""
    return np.array(compiled(dict(images=images))[0])


def print_forms(
    forms: dict[str, Scorer], exported: OnnxPARInferencer, args: argparse.Namespace
) -> None:
    """The model alone, and how many times as fast as torch eager it is."""
    crops = draw_crops(exported.card, 8).images
    columns = []
    for batch in args.batch_sizes:
        images = exported.feed(np.resize(crops, (batch, *crops.shape[1:])), None)
        calls = {name: partial(form, images["images"]) for name, form in forms.items()}
        times = turns(calls, args.repeats)
        columns.append(milliseconds(times, batch))
    rows = {
        name: [
            f"{column[name]:.2f} ({column['torch eager'] / column[name]:.2f}x)"
            for column in columns
        ]
        for name in forms
    }
    print_table("model, ms per image", args.batch_sizes, rows)


def milliseconds(times: dict[str, list[float]], batch: int) -> dict[str, float]:
    """Per image, the median of the turns."""
    return {k: 1e3 * statistics.median(v) / batch for k, v in times.items()}


def print_steps(
    predictor: TorchPredictor,
    exported: OnnxPARInferencer,
    args: argparse.Namespace,
    folder: Path,
) -> None:
    """What comes before and after the model."""
    columns = []
    for batch in args.batch_sizes:
        files = write_files(folder / str(batch), batch)
        calls = step_calls(predictor, exported, files)
        times = turns(calls, args.repeats)
        columns.append(milliseconds(times, batch))
    rows = {name: [f"{column[name]:.3f}" for column in columns] for name in columns[0]}
    print_table("around the model, ms per image", args.batch_sizes, rows)


def step_calls(
    predictor: TorchPredictor, exported: OnnxPARInferencer, files: list[str]
) -> dict[str, Callable[[], Any]]:
    """The steps of a batch, each with what the one before gives."""
    images = [predictor.read(file) for file in files]
    inputs = [predictor.prepare(image) for image in images]
    persons = [
        person
        for image in iterate_images(files)
        for person in predictor._load(image, rgb=False, measure=False)
    ]
    answering = copy.copy(predictor)
    scores = predictor.score(inputs, None)
    answering.score = lambda *_: scores  # type: ignore[method-assign]
    return {
        "decode (OpenCV)": lambda: [predictor.read(file) for file in files],
        "decode (Pillow)": lambda: [exported.read(file) for file in files],
        "resize": lambda: [predictor.prepare(image) for image in images],
        "normalize (torch)": lambda: predictor._batch(inputs, None),
        "normalize (NumPy)": lambda: exported.feed(np.stack(inputs), None),
        "answer": lambda: [*answering._answer(persons, False, False, None)],
        "files to answers, torch": lambda: predictor.predict(files),
        "files to answers, ONNX Runtime fp32": lambda: exported.predict(files),
    }


def write_files(folder: Path, count: int) -> list[str]:
    """JPEG files of drawn people with grain, 100 x 200 pixels."""
    folder.mkdir()
    names = []
    for index in range(count):
        image = draw_person(0, index % 8, (100, 200)).image.astype(float)
        image += np.random.default_rng(index).normal(0, 6, image.shape)
        names.append(str(folder / f"{index}.jpg"))
        drawn = Image.fromarray(image.clip(0, 255).astype(np.uint8))
        drawn.save(names[-1], quality=90)
    return names


def print_accuracy(
    forms: dict[str, Scorer], exported: OnnxPARInferencer, args: argparse.Namespace
) -> None:
    """mA of every form on the test split."""
    card = exported.card
    crops = load_crops(card, args.labelled, "test", args.limit)
    rows = {}
    for name, form in forms.items():
        found = []
        for start in range(0, len(crops), 32):
            images = exported.feed(crops.images[start : start + 32], None)["images"]
            found.append(form(images))
        scores = np.concatenate(found)
        if name.startswith("torch"):
            scores = card.decision.scores(scores)
        rows[name] = [f"{mean_accuracy(scores, crops, card):.2f}"]
    print_table(f"mA on {len(crops)} test images", ["%"], rows)


def print_table(title: str, heads: list[Any], rows: dict[str, list[str]]) -> None:
    """A Markdown table, one row per form."""
    names = [f"batch {head}" if isinstance(head, int) else head for head in heads]
    print(f"| {title} | {' | '.join(names)} |\n|---{'|---' * len(names)}|")
    for name, cells in rows.items():
        print(f"| {name} | {' | '.join(cells)} |")
    print()


if __name__ == "__main__":
    main()
