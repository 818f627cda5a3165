"""Another model's answers are scored on the images, and in the words, of PETA.

Run by test_competitor.py, in a process of their own.
"""

import io
import re
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import openvino
import pytest
from PIL import Image

from mmpar.datasets import PETA
from mmpar.evaluation.dump_predictions import write_predictions
from mmpar.evaluation.functional import roc_auc
from mmpar.evaluation.predictions import Predictions
from mmpar.structures import SCHEMAS, AttributeSchema
from tests.fixtures.peta import write_peta_release
from tests.test_tools.run import REPOSITORY, load_tool

SHARED = REPOSITORY.parent / "shared"
REAL_MODEL = SHARED / "models/par0230_FP32.xml"
REAL_IMAGES = SHARED / "data/peta_pictures/peta_160_webp.zip"
TOOL = "benchmarks/competitor.py"
SCHEMA = SCHEMAS["peta"]


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.syspath_prepend(REPOSITORY / "tools/benchmarks")
    return load_tool(TOOL)


def call(tool, monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", [TOOL, *map(str, words)])
    tool.main()


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """A network of the real one's form: shares of blue, green, red, then of blue."""
    return write_model(tmp_path_factory.mktemp("model") / "fake.xml", "453")


def write_model(path: Path, output: str) -> Path:
    import openvino.opset13 as ops

    images = ops.parameter([1, 3, 160, 80], np.float32, name="0")
    mean = ops.reduce_mean(images, np.array([2, 3]), keep_dims=True)
    weights = np.zeros((8, 3, 1, 1), np.float32)
    weights[range(8), [0, 1, 2, 0, 0, 0, 0, 0]] = 1 / 255
    found = ops.convolution(mean, weights, [1, 1], [0, 0], [0, 0], [1, 1])
    found.output(0).tensor.set_names({output})
    openvino.save_model(openvino.Model([found], [images]), path, compress_to_fp16=False)
    return path


def test_the_mapping_names_attributes_of_peta_in_the_models_order(tool):
    assert [one.name for one in tool.ATTRIBUTES] == [
        *("is_male", "has_bag", "has_backpack", "has_hat", "has_longsleeves"),
        *("has_longpants", "has_longhair", "has_coat_jacket"),
    ]
    for one in tool.ATTRIBUTES:
        assert {*one.of} <= {*SCHEMA.names}
        assert one.fit in ("same", "near", "poor")
        assert one.fit != "same" or (len(one.of) == 1 and not one.absent)


def test_labels_are_any_or_none_of_petas(tool):
    schema = AttributeSchema(SCHEMA.names)
    labels = np.zeros((4, 35), np.int8)
    messenger, plastic, shorts = map(
        schema.index, ("carryingMessengerBag", "carryingPlasticBags", "lowerBodyShorts")
    )
    labels[1, messenger] = labels[2, plastic] = labels[3, shorts] = 1
    labels[2, messenger] = labels[3, plastic] = -1
    found = tool.map_labels(labels, schema)
    names = [one.name for one in tool.ATTRIBUTES]
    assert found[:, names.index("has_bag")].tolist() == [0, 1, 1, -1]
    assert found[:, names.index("has_longpants")].tolist() == [1, 1, 1, 0]
    labels[0, shorts] = -1
    found = tool.map_labels(labels, schema)
    assert found[:, names.index("has_longpants")].tolist() == [-1, 1, 1, 0]


def test_certain_scores_are_mapped_as_labels_are(tool):
    labels = np.random.default_rng(0).integers(0, 2, (50, 35))
    scores = tool.map_scores(labels.astype(np.float32), SCHEMA)
    np.testing.assert_array_equal(scores, tool.map_labels(labels, SCHEMA))


def test_scores_of_several_attributes_are_joined_as_if_independent(tool):
    scores = np.zeros((1, 35), np.float32)
    for name in ("carryingMessengerBag", "lowerBodyShorts", "lowerBodyShortSkirt"):
        scores[0, SCHEMA.index(name)] = 0.5
    scores[0, SCHEMA.index("carryingPlasticBags")] = 0.2
    found = dict(
        zip((a.name for a in tool.ATTRIBUTES), tool.map_scores(scores, SCHEMA)[0])
    )
    assert found["has_bag"] == pytest.approx(0.6)
    assert found["has_longpants"] == pytest.approx(0.25)
    assert found["has_hat"] == 0


def test_small_scores_keep_their_order(tool):
    scores = np.zeros((2, 35), np.float32)
    scores[:, SCHEMA.index("accessoryHat")] = 1e-9, 2e-9
    hat = tool.map_scores(scores, SCHEMA)[:, 3]
    assert hat[0] < hat[1]


def test_crops_are_given_as_bgr_in_batches_of_any_size(tool, model):
    images = np.zeros((3, 160, 80, 3), np.uint8)
    images[:] = 51, 102, 255
    expected = np.tile([[0.2, 0.4, 1, 0.2, 0.2, 0.2, 0.2, 0.2]], (3, 1))
    score = tool.load_competitor(str(model), threads=1)
    np.testing.assert_allclose(score(images), expected, rtol=1e-5)
    np.testing.assert_allclose(score(images[:1]), expected[:1], rtol=1e-5)
    score = tool.load_competitor(str(model), threads=1, batch=3)
    np.testing.assert_allclose(score(images), expected, rtol=1e-5)


def test_another_model_or_none_is_refused(tool, tmp_path):
    with pytest.raises(ValueError, match="person-attributes-recognition-crossroad-02"):
        tool.load_competitor(str(write_model(tmp_path / "a.xml", "out")), threads=1)
    with pytest.raises(FileNotFoundError, match=r"no model .*b\.xml"):
        tool.load_competitor(str(tmp_path / "b.xml"), threads=1)


@pytest.fixture(scope="module")
def peta(tmp_path_factory) -> Path:
    """84 images, 2 of each person: 42 train, 8 val, 34 test."""
    return write_peta_release(tmp_path_factory.mktemp("peta"), 84)


def write_ours(file: Path, root: Path, split: str, **changes) -> Path:
    """Results that are always right, in an order of their own."""
    dataset = PETA(data_root=str(root), split=split)
    rows = np.random.default_rng(0).permutation(len(dataset))
    samples = [dataset[int(row)] for row in rows]
    labels = np.stack([s["gt_score"] for s in samples]).astype(np.int8)
    count = len(samples)
    fields = dict(
        img_path=np.array([f"elsewhere/{Path(s['img_path']).name}" for s in samples]),
        scores=np.where(labels == 1, 0.9, 0.1).astype(np.float32),
        decisions=labels == 1,
        labels=labels,
        domain=np.full(count, "", object),
        person_id=np.array([str(s["person_id"]) for s in samples], object),
        camera=np.full(count, "", object),
        image_size=np.zeros((count, 2), np.int32),
        seen=np.array([s["person_id"] % 2 for s in samples], np.int8),
    )
    write_predictions(file, Predictions(**{**fields, **changes}), SCHEMA)
    return file


def tables_of(output: str) -> dict[str, list[list[str]]]:
    """Title of each Markdown table to its rows."""
    tables = {}
    for text in re.findall(r"(?:^\|.*\n)+", output, re.MULTILINE):
        lines = [line.strip("| ").split(" | ") for line in text.splitlines()]
        tables.setdefault(lines[0][0], []).append(lines[2:])
    return tables


def test_both_models_are_scored_on_the_same_images(
    tool, model, peta, tmp_path, monkeypatch, capsys
):
    files = [write_ours(tmp_path / f"{s}.json", peta, s) for s in ("test", "val")]
    words = ["accuracy", model, peta, "--rounds", 5]
    call(tool, monkeypatch, *words, "--ours", "perfect", *files)
    output = capsys.readouterr().out
    persons = [int(n) for n in re.findall(r"images of (\d+) persons", output)]
    assert re.findall(r"^(\w.*?): \d+ images", output, re.MULTILINE) == [
        *("test", "seen persons", "unseen persons")
    ]
    assert persons[0] == persons[1] + persons[2]
    tables = tables_of(output)
    assert len(tables) == 3
    for title, groups in tables.items():
        assert len(groups) == 3
        for name, intel, perfect in groups[0]:
            # "none of two" of scores of 0.1 is 0.81, "any of two" of 0.9 is 0.99
            assert perfect.startswith("100.0"), (title, name)
            assert 0 < float(intel.split()[0]) < 100
        assert groups[0][-1][0] == "mean without has_coat_jacket"


def test_the_competitors_figures_are_those_of_its_scores(tool, model, peta):
    score = tool.load_competitor(str(model), threads=1)
    found = tool.answer_split(score, str(peta), "test", batch=5)
    assert len(found.images) == 34
    dataset = PETA(data_root=str(peta), split="test")
    truth = np.stack([s["gt_score"] for s in dataset])[:, SCHEMA.index("accessoryHat")]
    np.testing.assert_array_equal(found.labels[:, 3], truth)
    image = cv2.resize(cv2.imread(dataset[7]["img_path"]), (80, 160))
    np.testing.assert_allclose(
        found.scores[7, :3], image.mean(axis=(0, 1)) / 255, atol=0.01
    )
    values = tool.measure(found.scores, found.labels, [0.5] * 8)
    np.testing.assert_allclose(values[0, :8], 100 * roc_auc(found.scores, found.labels))
    np.testing.assert_allclose(values[:, -1], values[:, :7].mean(axis=1))
    np.testing.assert_allclose(values[1], values[2])


def test_results_of_other_images_or_labels_are_refused(tool, model, peta, tmp_path):
    expected = tool.answer_split(tool.load_competitor(str(model), 1), str(peta), "test")
    val = write_ours(tmp_path / "val.json", peta, "val")
    with pytest.raises(ValueError, match="holds 8 images, not the 34"):
        tool.read_ours(str(val), expected)
    labels = np.zeros((34, 35), np.int8)
    other = write_ours(tmp_path / "other.json", peta, "test", labels=labels)
    with pytest.raises(ValueError, match=r"other labels than PETA\.mat"):
        tool.read_ours(str(other), expected)


def test_models_are_timed_in_turns(tool, model, trained_work_dir, monkeypatch, capsys):
    ours = trained_work_dir("linear")
    words = ["speed", model, "--ours", "linear", ours]
    call(tool, monkeypatch, *words, "--batch-sizes", 1, 2, "--repeats", 1)
    ((title, (rows,)),) = tables_of(capsys.readouterr().out).items()
    assert title == "images/s"
    assert [row[0].split(",")[0] for row in rows] == ["Intel 0230", "linear", "linear"]
    assert all(float(cell) > 0 for row in rows for cell in row[1:])


@pytest.mark.skipif(
    not (REAL_MODEL.exists() and REAL_IMAGES.exists()), reason="needs ../shared"
)
def test_the_real_model_knows_men_and_long_sleeves_in_bgr_only(tool):
    """Of 600 real images; with red and blue swapped it hardly sees sleeves."""
    from mmpar.datasets.peta import read_peta

    rows = np.random.default_rng(0).permutation(19_000)[:600]
    with zipfile.ZipFile(REAL_IMAGES) as archive:
        names = {Path(name).name: name for name in archive.namelist()}
        images = [
            np.asarray(
                Image.open(io.BytesIO(archive.read(names[f"{row + 1:05}.png"])))
                .convert("RGB")
                .resize(tool.SIZE, Image.Resampling.BILINEAR)
            )[..., ::-1]
            for row in rows
        ]
    annotation = read_peta(str(SHARED / "data/peta/PETA.mat"))
    columns = annotation.positions(SCHEMA.names)
    labels = tool.map_labels(np.asarray(annotation.labels)[rows][:, columns], SCHEMA)
    score = tool.load_competitor(str(REAL_MODEL), threads=1)
    found = []
    for step in (1, -1):
        parts = [score(part[..., ::step]) for part in np.split(np.stack(images), 75)]
        found.append(roc_auc(np.concatenate(parts), labels))
    bgr, rgb = found
    male, sleeves = 0, 4
    assert bgr[male] > 0.7
    assert bgr[sleeves] > 0.75
    assert rgb[sleeves] < bgr[sleeves] - 0.1
