"""Intel's pedestrian attribute model beside ours: competitor.py {accuracy,speed}.

MODEL is the .xml of person-attributes-recognition-crossroad-0230 of the Open Model Zoo,
its .bin beside it, run by OpenVINO. It takes BGR crops of 80x160 and says eight
attributes, each of which ATTRIBUTES finds among PETA's 35.

``accuracy``: both models on the same images of PETA's test split, and what a person
makes of it: the area under the ROC curve, which no threshold decides, and balanced
accuracy (mA of one attribute), by 0.5 and by each model's best thresholds on val. Ours
are given by what tools/test.py --out wrote. For "any of" several attributes they score
1 - prod(1 - p), as if those were independent, and for "none of" the rest to 1. Prints
Markdown tables in percent, with 95 % intervals of resampled persons, and the same apart
for persons whom our models have seen in training, if their results say it.

``speed``: images/s from resized pixels to probabilities, each model at its own input
size, in turns on the same cores; medians. Other work on the machine spoils the figures:
the load is printed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from turns import turns

from mmpar.datasets import PETA
from mmpar.deploy import OnnxPARInferencer, export_onnx
from mmpar.deploy.inferencer import SCORES
from mmpar.deploy.openvino import require_openvino
from mmpar.evaluation import read_dump
from mmpar.evaluation.functional import (
    Interval,
    bootstrap,
    decide,
    fit_thresholds,
    multi_label_scores,
    roc_auc,
)
from mmpar.structures import SCHEMAS, AttributeSchema

SIZE = (80, 160)
"""W and H of the competitor's crops."""
OUTPUT = "453"
"""Its attributes, (B, 8, 1, 1); the other two outputs are places of colours."""
INTEL = "Intel 0230"
MEASURES = ("AUC", "balanced accuracy at 0.5", "balanced accuracy, thresholds of val")

Scorer = Callable[[np.ndarray], np.ndarray]
"""From BGR crops, uint8, (B, H, W, 3), to probabilities, (B, A)."""


class Correspondence(NamedTuple):
    """An attribute of the competitor in the words of PETA."""

    name: str
    of: tuple[str, ...]
    """Attributes of PETA of which any is present ..."""
    absent: bool
    """... or, if true, none."""
    fit: str
    """How well that says the same: ``'same'``, ``'near'`` or ``'poor'``, in no mean."""


ATTRIBUTES = (
    Correspondence("is_male", ("personalMale",), False, "same"),
    # What PETA calls carryingOther may or may not be a bag.
    Correspondence(
        "has_bag", ("carryingMessengerBag", "carryingPlasticBags"), False, "near"
    ),
    Correspondence("has_backpack", ("carryingBackpack",), False, "same"),
    Correspondence("has_hat", ("accessoryHat",), False, "same"),
    # People without sleeves, 1.9 % of the test images, count as long-sleeved.
    Correspondence("has_longsleeves", ("upperBodyShortSleeve",), True, "near"),
    # Long skirts, hot pants and capris, 4.7 %, count as long. Trousers or jeans would
    # leave out those of suits.
    Correspondence(
        "has_longpants", ("lowerBodyShorts", "lowerBodyShortSkirt"), True, "near"
    ),
    Correspondence("has_longhair", ("hairLong",), False, "same"),
    # PETA has no coat.
    Correspondence("has_coat_jacket", ("upperBodyJacket",), False, "poor"),
)
"""The competitor's outputs, in their order."""
IN_MEAN = np.array([attribute.fit != "poor" for attribute in ATTRIBUTES])
"""Which of them the means are of."""


@dataclass(frozen=True)
class Answers:
    """What a model says of N images by the eight attributes, and the truth."""

    images: np.ndarray
    """``(N,)``, str, file names."""
    scores: np.ndarray
    """``(N, 8)``, probabilities."""
    labels: np.ndarray
    """``(N, 8)``: 1 present, 0 absent, -1 unknown."""
    persons: np.ndarray
    """``(N,)``, str; empty for an unknown one."""
    seen: np.ndarray
    """``(N,)``: 1 our training data has the person, 0 it has not, -1 unknown."""

    def select(self, member: np.ndarray) -> Answers:
        """The answers for some images, given as a bool mask."""
        return Answers(*(getattr(self, field.name)[member] for field in fields(self)))


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    accuracy = commands.add_parser("accuracy")
    accuracy.add_argument("model", help="Intel's .xml")
    accuracy.add_argument("data_root", help="with PETA.mat and images/")
    accuracy.add_argument(
        "--ours",
        nargs=3,
        action="append",
        default=[],
        metavar=("NAME", "TEST", "VAL"),
        help="a model of ours: results of tools/test.py --out on test and on val",
    )
    accuracy.add_argument("--rounds", type=int, default=1000, help="of the bootstrap")
    accuracy.set_defaults(run=compare_accuracy)
    speed = commands.add_parser("speed")
    speed.add_argument("model", help="Intel's .xml")
    speed.add_argument(
        "--ours",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "MODEL"),
        help="a model of ours: a published file, a checkpoint or a work dir",
    )
    speed.add_argument("--batch-sizes", type=int, nargs="+", default=[1, 8])
    speed.add_argument("--repeats", type=int, default=31)
    speed.set_defaults(run=compare_speed)
    for command in (accuracy, speed):
        command.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    """Print the tables of a command."""
    args = parse_args()
    torch.set_num_threads(args.threads)
    args.run(args)


def compare_accuracy(args: argparse.Namespace) -> None:
    """Score all models on the same images and print the tables."""
    score = load_competitor(args.model, args.threads)
    test, val = (answer_split(score, args.data_root, name) for name in ("test", "val"))
    models = {INTEL: test}
    thresholds = {INTEL: fit(val)}
    for name, test_file, val_file in args.ours:
        models[name] = read_ours(test_file, test)
        thresholds[name] = fit(read_ours(val_file, val))
    seen = next((m.seen for m in models.values() if (m.seen >= 0).any()), test.seen)
    groups = {"test": np.full(len(seen), True)}
    groups |= {"seen persons": seen == 1, "unseen persons": seen == 0}
    for group, member in groups.items():
        if not member.any():
            continue
        chosen = {name: model.select(member) for name, model in models.items()}
        persons = len({*chosen[INTEL].persons.tolist()})
        print(f"{group}: {member.sum():,} images of {persons:,} persons\n")
        print_intervals(intervals(chosen, thresholds, args.rounds), list(models))


# --- answers ----------------------------------------------------------------------


def load_competitor(path: str, threads: int, batch: int = -1) -> Scorer:
    """Intel's model for crops of ``SIZE``.

    Args:
        path: Its ``.xml``.
        threads: Of OpenVINO.
        batch: The size of all batches; -1 for any.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is another model.
    """
    compiled = compile_openvino(path, threads, batch)
    found = {name: str(o.partial_shape) for o in compiled.outputs for name in o.names}
    shape = list(compiled.inputs[0].partial_shape)[1:]
    if OUTPUT not in found or [str(n) for n in shape] != ["3", *map(str, SIZE[::-1])]:
        raise ValueError(
            f"{path} takes {shape} and gives {found}, expected 3 x {SIZE[1]} x "
            f"{SIZE[0]} and {OUTPUT!r}; give the .xml of "
            "person-attributes-recognition-crossroad-0230"
        )

    def score(images: np.ndarray) -> np.ndarray:
        planes = images.transpose(0, 3, 1, 2).astype(np.float32, order="C")
        return np.array(compiled(planes)[OUTPUT]).reshape(len(images), -1)

    return score


def compile_openvino(path: str | Path, threads: int, batch: int = -1) -> Any:
    """An ``.xml`` or ``.onnx`` of one input, in float32 on the CPU."""
    openvino = require_openvino()
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"there is no model {path}; the Open Model Zoo has Intel's as .xml and .bin"
        )
    core = openvino.Core()
    model = core.read_model(path)
    model.reshape([batch, *model.inputs[0].partial_shape[1:]])
    options = dict(
        INFERENCE_PRECISION_HINT="f32",
        INFERENCE_NUM_THREADS=threads,
        # Others may work on the core that it would stay on.
        ENABLE_CPU_PINNING=False,
    )
    return core.compile_model(model, "CPU", options)


def answer_split(score: Scorer, data_root: str, split: str, batch: int = 8) -> Answers:
    """The competitor's answers for a split of PETA's first partition."""
    dataset = PETA(
        data_root=data_root,
        split=split,
        pipeline=[dict(type="LoadPersonImage"), dict(type="Resize", scale=SIZE)],
    )
    samples: list[dict[str, Any]] = []
    scores = []
    for start in range(0, len(dataset), batch):
        rows = range(start, min(start + batch, len(dataset)))
        loaded = [dataset[row] for row in rows]
        scores.append(score(np.stack([sample.pop("img") for sample in loaded])))
        samples += loaded
    labels = np.stack([sample["gt_score"] for sample in samples])
    return Answers(
        images=np.array([Path(s["img_path"]).name for s in samples], object),
        scores=np.concatenate(scores),
        labels=map_labels(labels, dataset.schema),
        persons=np.array([str(sample["person_id"]) for sample in samples], object),
        seen=np.full(len(samples), -1),
    )


def read_ours(file: str, expected: Answers) -> Answers:
    """Results of one of our models, in the order of the competitor's images.

    Raises:
        ValueError: They are of other images, attributes or labels.
    """
    schema, found = read_dump(file)
    if {*schema.names} != {*SCHEMAS["peta"].names}:
        raise ValueError(
            f"{file} is of the attributes of {schema.title!r}, expected PETA's 35; "
            "test a model that was trained on them"
        )
    rows = {Path(path).name: row for row, path in enumerate(found.img_path)}
    if {*rows} != {*expected.images} or len(rows) != len(found.img_path):
        raise ValueError(
            f"{file} holds {len(found.img_path)} images, not the "
            f"{len(expected.images)} of this split of PETA's first partition; test "
            "the model on that split"
        )
    found = found.select(np.array([rows[name] for name in expected.images]))
    labels = map_labels(found.labels, schema)
    differing = (labels != expected.labels).any(axis=1)
    if differing.any():
        raise ValueError(
            f"{file} has other labels than PETA.mat for {differing.sum()} images, "
            f"first {expected.images[differing.argmax()]}; test the model on this copy"
        )
    scores = map_scores(found.scores, schema)
    return replace(expected, scores=scores, seen=found.seen)


def map_labels(labels: np.ndarray, schema: AttributeSchema) -> np.ndarray:
    """Labels of PETA, ``(N, 35)``, as those of the eight attributes, ``(N, 8)``."""
    mapped = []
    for _, names, absent, _ in ATTRIBUTES:
        of = labels[:, [schema.index(name) for name in names]]
        # Without a 1, "any" is unknown as soon as one of them is.
        found = np.where((of == 1).any(axis=1), 1, of.min(axis=1))
        mapped.append(np.where(absent & (found >= 0), 1 - found, found))
    return np.stack(mapped, axis=1).astype(np.int8)


def map_scores(scores: np.ndarray, schema: AttributeSchema) -> np.ndarray:
    """Probabilities of PETA's attributes, ``(N, 35)``, as of the eight, ``(N, 8)``."""
    mapped = []
    for _, names, absent, _ in ATTRIBUTES:
        of = scores[:, [schema.index(name) for name in names]]
        none = (1 - of.astype(np.float64)).prod(axis=1)
        mapped.append(none if absent else 1 - none)
    return np.stack(mapped, axis=1)


# --- measures ---------------------------------------------------------------------


def fit(val: Answers) -> Sequence[float]:
    """The thresholds that serve balanced accuracy best on val."""
    return fit_thresholds(val.scores, val.labels).thresholds


def intervals(
    models: Mapping[str, Answers],
    thresholds: Mapping[str, Sequence[float]],
    rounds: int,
) -> np.ndarray:
    """Of each model, measure and attribute, then of the mean: ``(M, 3, 9)``."""
    persons = models[INTEL].persons.astype(str)

    def statistic(rows: np.ndarray) -> np.ndarray:
        return np.stack(
            [
                measure(model.scores[rows], model.labels[rows], thresholds[name])
                for name, model in models.items()
            ]
        ).ravel()

    found = np.array(bootstrap(statistic, persons, rounds), object)
    return found.reshape(len(models), len(MEASURES), len(ATTRIBUTES) + 1)


def measure(
    scores: np.ndarray, labels: np.ndarray, thresholds: Sequence[float]
) -> np.ndarray:
    """``MEASURES`` of each attribute, then their mean, in percent, ``(3, 9)``.

    NaN for an attribute without a positive or a negative.
    """
    values = np.stack(
        [
            roc_auc(scores, labels),
            *(balanced_accuracy(decide(scores, t), labels) for t in (0.5, thresholds)),
        ]
    )
    mean = values[:, IN_MEAN].mean(axis=1, keepdims=True)
    return 100 * np.concatenate([values, mean], axis=1)


def balanced_accuracy(decisions: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The mean of the recall of positives and of negatives, ``(A,)``."""
    found = multi_label_scores(decisions, labels)
    return np.where(found.empty, np.nan, found.attribute_accuracy)


def print_intervals(found: np.ndarray, models: Sequence[str]) -> None:
    """One table per measure, one row per attribute."""
    names = [attribute.name for attribute in ATTRIBUTES]
    left_out = ", ".join(np.array(names)[~IN_MEAN])
    names.append(f"mean without {left_out}")
    for values, title in zip(found.swapaxes(0, 1), MEASURES):
        rows = {name: list(map(shown, cells)) for name, cells in zip(names, values.T)}
        print_table(f"{title}, %", models, rows)


def shown(interval: Interval) -> str:
    """With one digit."""
    if np.isnan(interval.low):
        return str(interval)
    return f"{interval.value:.1f} [{interval.low:.1f}, {interval.high:.1f}]"


def print_table(
    title: str, heads: Sequence[str], rows: Mapping[str, Sequence[str]]
) -> None:
    """A Markdown table."""
    print(f"| {title} | {' | '.join(heads)} |\n|---{'|---' * len(heads)}|")
    for name, cells in rows.items():
        print(f"| {name} | {' | '.join(cells)} |")
    print()


# --- speed ------------------------------------------------------------------------


def compare_speed(args: argparse.Namespace) -> None:
    """Time all models in turns and print the table."""
    with tempfile.TemporaryDirectory(prefix="mmpar-competitor-") as folder:
        exported = {
            name: export_onnx(model, Path(folder) / f"{number}.onnx").files[0]
            for number, (name, model) in enumerate(args.ours)
        }
        columns = [time_models(args, exported, batch) for batch in args.batch_sizes]
    print(
        f"{args.threads} threads, medians of {args.repeats} turns, load "
        f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n"
    )
    heads = [f"batch {batch}" for batch in args.batch_sizes]
    rows = {name: [f"{column[name]:.0f}" for column in columns] for name in columns[0]}
    print_table("images/s", heads, rows)


def time_models(
    args: argparse.Namespace, exported: Mapping[str, Path], batch: int
) -> dict[str, float]:
    """Images/s of each model and runtime at a batch size."""
    intel = load_competitor(args.model, args.threads, batch)
    forms = {f"{INTEL}, OpenVINO, {SIZE[0]}x{SIZE[1]}": time_on(intel, SIZE, batch)}
    for name, file in exported.items():
        ours = OnnxPARInferencer(file, num_threads=args.threads)
        compiled = compile_openvino(file, args.threads, batch)
        size = (ours.card.preprocessing.width, ours.card.preprocessing.height)
        shape = f"{size[0]}x{size[1]}"
        by_openvino = partial(run_openvino, compiled, ours)
        forms[f"{name}, OpenVINO, {shape}"] = time_on(by_openvino, size, batch)
        forms[f"{name}, ONNX Runtime, {shape}"] = time_on(ours.score_array, size, batch)
    times = turns(forms, args.repeats)
    return {name: batch / statistics.median(times[name]) for name in forms}


def time_on(score: Scorer, size: tuple[int, int], batch: int) -> Callable[[], Any]:
    """A call on a batch of noise."""
    shape = (batch, size[1], size[0], 3)
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    return partial(score, images)


def run_openvino(
    compiled: Any, ours: OnnxPARInferencer, images: np.ndarray
) -> np.ndarray:
    """Probabilities of our model, (B, A)."""
    return np.array(compiled(ours.feed(images, None))[SCORES])


if __name__ == "__main__":
    main()
