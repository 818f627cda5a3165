"""Readers of what mmpar's own tools write: people change it, and disks lose it."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mmpar.apis import predict_files
from mmpar.apis.prediction_files import answer_columns, line_of, writer_of
from mmpar.datasets import AttributeListDataset
from mmpar.datasets.corrections import Corrections, write_review
from mmpar.datasets.doctor.label_errors import Suspect
from mmpar.datasets.formats.coco import read_coco_persons
from mmpar.datasets.formats.mot import read_mot_boxes
from mmpar.evaluation import read_dump
from mmpar.evaluation.dump_predictions import write_predictions
from mmpar.evaluation.predictions import Predictions
from mmpar.models.heads.query_par_head import read_texts
from mmpar.structures import build_schema
from mmpar.structures.par_result import PARResult
from mmpar.utils.feature_cache import FeatureCache, FeatureCacheWriter
from mmpar.utils.training_logs import read_training_log
from tests.mutate_inputs.mutations import (
    mutate_bytes,
    mutate_json,
    mutate_json_line,
    mutate_text,
    mutate_zip,
)
from tests.mutate_inputs.runs import NAME, Seed

SCHEMA = build_schema(dict(names=["Hat", "Boots", "Ärmel"]))
PATHS = ("a.jpg", "b.jpg", "c/d e.jpg")


def _dumps() -> list[Seed]:
    """The predictions of a split, with and without what may be known of images."""
    labels = np.array([[1, 0, -1], [0, 1, 0], [1, 1, 0]], np.int8)
    scores = np.linspace(0.1, 0.9, 9, dtype=np.float32).reshape(3, 3)
    predictions = Predictions(
        img_path=np.array(PATHS, object),
        scores=scores,
        decisions=scores > 0.5,
        labels=labels,
        domain=np.array(["a", "b", "a"], object),
        person_id=np.array(["1", "", "NA"], object),
        camera=np.array(["", "", ""], object),
        image_size=np.array([[30, 60], [20, 40], [0, 0]], np.int32),
        seen=np.array([1, 0, -1], np.int8),
    )
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for ending, mutate in ((".json", mutate_json), (".csv", mutate_text)):
            file = Path(folder, f"dump{ending}")
            write_predictions(file, predictions, SCHEMA)
            content = file.read_bytes()
            found.append(Seed(f"{NAME}{ending}", content, mutate, read_dump))
    return found


def _corrections() -> list[Seed]:
    images = [Suspect(path, "train", "Hat", 1, 0.2, ()) for path in PATHS]
    with tempfile.TemporaryDirectory() as folder:
        write_review(f"{folder}/review.csv", images)
        text = Path(folder, "review.csv").read_bytes()
    filled = b"\r\n".join(
        line + (b"0" if 0 < i < 3 else b"")
        for i, line in enumerate(text.split(b"\r\n"))
    )
    rows = "path,Hat,Boots\n" + "".join(f"{path},1,0\n" for path in PATHS)

    def read(path: Path) -> None:
        dataset = AttributeListDataset(
            ann_file=str(path.with_name("list.csv")), missing_images="ignore"
        )
        corrections = Corrections(path)
        corrections.apply(dataset)
        corrections.require_all_applied()

    beside = {"list.csv": rows.encode()}
    return [Seed(f"{NAME}.csv", filled, mutate_text, read, beside)]


def _feature_cache() -> list[Seed]:
    """Each of its three files."""
    keys = [bytes([i]) * 16 for i in range(4)]
    fingerprint = dict(backbone=dict(type="A"), weights_sha256="0" * 64)
    with tempfile.TemporaryDirectory() as folder:
        writer = FeatureCacheWriter(folder, fingerprint, keys)
        writer.append(np.arange(24).reshape(4, 2, 3))
        names = ("cache.json", "features.npy", "keys.bin")
        files = {name: Path(folder, name).read_bytes() for name in names}

    def read(path: Path) -> None:
        cache = FeatureCache(path.parent, fingerprint)
        for key in keys:
            with contextlib.suppress(KeyError):  # what it says of images it lacks
                np.asarray(cache[key]).sum()
        FeatureCacheWriter(path.parent, fingerprint, keys)

    mutations = (mutate_json, mutate_bytes, mutate_bytes)
    return [
        Seed(
            f"{NAME}/{name}",
            files[name],
            mutate,
            read,
            {other: content for other, content in files.items() if other != name},
        )
        for name, mutate in zip(names, mutations)
    ]


def _texts() -> list[Seed]:
    target = io.BytesIO()
    np.savez(
        target,
        names=SCHEMA.names,
        prompts=np.array(["a hat", "boots", "sleeves"]),
        embeddings=np.random.default_rng(0).random((3, 8), np.float32),
    )
    return [Seed(f"{NAME}.npz", target.getvalue(), mutate_zip, read_texts)]


def _persons() -> list[Seed]:
    """Boxes of persons, as trackers and annotators write them."""
    frames = [f"video/{i:06}.jpg" for i in range(1, 4)]
    rows = [f"{1 + i % 3},{i},{10.5 + i},20,30,60,1,1,0.9" for i in range(5)]
    rows += [f"{1 + i % 3},-1,{10.5 + i},20,30,60,0.5,-1,-1,-1" for i in range(5)]
    content = dict(
        images=[dict(id=i, file_name=path) for i, path in enumerate(frames)],
        categories=[dict(id=1, name="person"), dict(id=2, name="car")],
        annotations=[
            dict(id=i, image_id=i % 3, category_id=1 + i % 2, bbox=[1, 2.5, 30, 40])
            for i in range(4)
        ],
    )
    return [
        Seed(
            f"{NAME}.txt",
            "\n".join(rows).encode(),
            mutate_text,
            lambda path: read_mot_boxes(str(path), frames),
        ),
        Seed(
            f"{NAME}.json",
            json.dumps(content).encode(),
            mutate_json,
            lambda path: read_coco_persons(str(path), frames),
        ),
    ]


def _training_log() -> list[Seed]:
    lines = [
        dict(lr=0.1, loss=0.5 - i / 10, time=0.1, epoch=1, iter=i, step=i)
        for i in range(1, 4)
    ]
    lines.append({"par/mA": 70.5, "time": 0.1, "step": 1})
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    return [
        Seed(
            f"{NAME}/1/vis_data/scalars.json",
            content,
            mutate_json_line,
            lambda path: read_training_log(path.parents[2]),
        )
    ]


def _answers() -> list[Seed]:
    """What a killed prediction has left to go on from."""
    names = ("Hat", "Boots")
    job = dict(mmpar="0.2", model_sha256="0" * 64, images=3, shard=[1, 1])
    scores = dict(zip(names, (0.9, 0.1)))
    results = [PARResult(scores, ("Hat",), img_path=path) for path in PATHS]
    rows = b"".join(line_of(result, 7) for result in results)
    write = writer_of("answers.csv")

    def join(path: Path) -> None:
        with tempfile.TemporaryDirectory() as folder:
            write([path], Path(folder, "answers.csv"), answer_columns(names, False))

    begun = json.dumps(job).encode()
    beside = {"000000.jsonl": rows}
    return [
        Seed(f"{NAME}/000000.jsonl", rows, mutate_json_line, join),
        Seed(
            f"{NAME}/job.json",
            begun,
            mutate_json,
            lambda path: predict_files._begin(path, job),
            beside,
        ),
    ]


def _row_numbers() -> list[Seed]:
    rows = "path,Hat,Boots\n" + "".join(f"{path},1,0\n" for path in PATHS)

    def read(path: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            AttributeListDataset(
                ann_file=str(path.with_name("list.csv")),
                missing_images="ignore",
                indices=str(path),
            )

    beside = {"list.csv": rows.encode()}
    return [Seed(f"{NAME}.txt", b"0\n2\n1\n", mutate_text, read, beside)]


READERS: dict[str, Callable[[], list[Seed]]] = {
    "result-dump": _dumps,
    "corrections": _corrections,
    "feature-cache": _feature_cache,
    "text-embeddings": _texts,
    "person-boxes": _persons,
    "training-log": _training_log,
    "answers": _answers,
    "row-numbers": _row_numbers,
}
"""Name to what makes the whole files."""
