"""The benchmarks run and compare forms that give the same results."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmpretrain.models import ImageClassifier

from tests.fixtures.versions import needs_exporter
from tests.test_tools.run import REPOSITORY, load_tool, run_command, run_tool


def test_both_forms_of_sspnet_give_the_same_logits(tmp_path: Path):
    output = run_tool(
        "benchmarks/sspnet_head.py",
        *("--batch-size", 1, "--repeats", 1, "--threads", 1),
        cwd=tmp_path,
    )
    size, difference = map(
        float, re.search(r"up to (\S+), largest difference (\S+)", output).groups()
    )
    assert size > 0.1
    assert difference < 1e-4 * size
    assert len(re.findall(r"\d times faster", output)) == 2


def table_of(output: str) -> list[list[str]]:
    """Cells of a Markdown table, without its head."""
    lines = [line for line in output.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def number(cell: str) -> float:
    return float(cell.replace(",", ""))


def call_here(monkeypatch, tool: str, *words: object) -> None:
    """Call a benchmark in this process; Python that it starts is forked."""
    monkeypatch.syspath_prepend(REPOSITORY / "tools/benchmarks")
    monkeypatch.setattr(sys, "argv", [tool, *map(str, words)])
    monkeypatch.setattr(subprocess, "run", run_command)
    load_tool(tool).main()


def test_the_scale_of_lists_is_measured(tmp_path: Path, monkeypatch, capsys):
    """Each list in a process of its own."""
    words = ["rows", "--rows", 100, 3_000, "--workers", 0, 1, "--samples", 300]
    call_here(
        monkeypatch, "benchmarks/dataset_loading.py", *words, "--work-dir", tmp_path
    )
    rows = table_of(capsys.readouterr().out)
    assert [row[:2] for row in rows] == [
        ["100", "0"],
        ["100", "1"],
        ["3,000", "0"],
        ["3,000", "1"],
    ]
    for row in rows:
        assert number(row[7]) > 0
    for row in rows[1::2]:  # a worker shares far more than it has for itself
        assert 0 < number(row[8]) < number(row[9])
    assert list(tmp_path.iterdir()) == []


def test_the_roots_of_images_are_compared(tmp_path: Path):
    output = run_tool(
        "benchmarks/dataset_loading.py",
        *("roots", "--images", 70, "--repeats", 1, "--samples", 130),
        *("--workers", 0, 1, "--work-dir", tmp_path),
        cwd=tmp_path,
    )
    assert "70 images of" in output
    rows = table_of(output)
    assert [row[0] for row in rows] == ["0", "1"]
    for _, folder, packed, lmdb, ratio in rows:
        assert number(packed) > 0
        assert number(ratio) == pytest.approx(number(lmdb) / number(folder), abs=0.01)
    assert list(tmp_path.iterdir()) == []


def test_the_cost_of_keypoints_is_a_share_of_each_iteration(tmp_path: Path):
    output = run_tool(
        "benchmarks/keypoints_loading.py",
        *("--images", 2, "--turns", 1, "--batch-size", 1),
        *("--iterations", 1, "--threads", 1),
        cwd=tmp_path,
    )
    rows = re.findall(r"^\| sspnet_.*\|$", output, re.MULTILINE)
    assert len(rows) == 2
    for row in rows:
        iteration, without, with_keypoints, extra = map(float, row.split("|")[2:6])
        assert iteration > 0
        # One turn: its difference is that of the two columns.
        assert abs(with_keypoints - without - extra) < 0.002


def test_every_prior_of_sspnet_is_timed_both_ways(tmp_path: Path):
    output = run_tool(
        "benchmarks/sspnet_priors.py",
        *("--batch-size", 1, "--repeats", 1, "--threads", 1),
        cwd=tmp_path,
    )
    timed = re.findall(r"^  (\S.*?) +median +[\d.]+ ms", output, re.MULTILINE)
    assert len(timed) == 12
    assert timed[:6] == timed[6:]
    assert {"fixed, sparse 1/2", "fixed, keypoint", "fixed, none"} < set(timed)


def test_both_forms_of_alm_are_timed_and_weighed(tmp_path: Path):
    output = run_tool(
        "benchmarks/alm_head.py",
        *("--attributes", 3, "--batches", 1, "--repeats", 1),
        *("--threads", 1, "--devices", "cpu"),
        cwd=tmp_path,
    )
    rows = [line.split() for line in output.splitlines() if line.startswith("cpu ")]
    assert [row[1] for row in rows] == [
        *("forward", "step", "model_step"),
        *("step", "model_step"),
    ]
    assert [row[5] for row in rows] == ["ms"] * 3 + ["MB"] * 2
    for row in rows:
        fast, loop = float(row[4]), float(row[6])
        assert float(row[8]) == pytest.approx(loop / fast, rel=0.2, abs=0.1)


def test_models_are_timed_side_by_side(tmp_path: Path):
    folder = Path(__file__).parents[2] / "configs"
    output = run_tool(
        "benchmarks/throughput.py",
        folder / "baseline/baseline_r18_synthetic.py",
        folder / "sspnet/sspnet-keypoint_r18_synthetic.py",
        *("--batch-size", 2, "--repeats", 1, "--threads", 1),
        cwd=tmp_path,
    )
    rows = table_of(output)
    assert [row[0] for row in rows] == [
        "baseline_r18_synthetic",
        "sspnet-keypoint_r18_synthetic",
    ]
    for _, predict, train in rows:
        assert number(predict) > 0
        assert number(train) > 0


@needs_exporter
def test_ways_to_run_a_model_are_timed_and_judged(tmp_path: Path):
    pytest.importorskip("onnxscript")
    config = REPOSITORY / "configs/baseline/baseline_r18_synthetic.py"
    output = run_tool(
        "benchmarks/inference.py",
        *(config, "--labelled", config, "--limit", 4, "--calibration", 2),
        *("--batch-sizes", 2, "--repeats", 1, "--threads", 1),
        cwd=tmp_path,
    )
    sizes = re.search(r"fp32 ([\d.]+) MiB, int8 ([\d.]+) MiB", output)
    assert 0.2 < float(sizes[2]) / float(sizes[1]) < 0.5
    times, steps, judged = re.findall(r"(?:^\|.*\n)+", output, re.MULTILINE)
    accuracy = {name: float(cell) for name, cell in table_of(judged)}
    assert {"torch eager", "ONNX Runtime fp32", "ONNX Runtime int8"} <= {*accuracy}
    assert accuracy["ONNX Runtime fp32"] == accuracy["torch eager"]
    assert {name for name, _ in table_of(times)} == {*accuracy}
    for _, cell in (*table_of(times), *table_of(steps)):
        assert float(cell.split()[0]) > 0


def test_ways_to_resize_are_compared_with_the_official_one(tmp_path: Path):
    output = run_tool(
        "benchmarks/resizing.py",
        *("--heights", 100, 500, "--images", 2, "--repeats", 1),
        cwd=tmp_path,
    )
    apart = {
        row[0]: [int(re.search(r"\((\d+),", cell)[1]) for cell in row[1:]]
        for row in re.findall(r"^\| (.*?) \| (.*) \| (.*) \|$", output, re.MULTILINE)
        if row[0] != "form"
    }
    assert len(apart) == 9
    assert apart["official: Pillow decodes and resizes"] == [0, 0]
    small, large = apart["Resize (OpenCV where no side shrinks, else Pillow)"]
    assert small <= 1
    assert large == 0
    small, large = apart['Resize(backend="cv2"), not antialiased']
    assert small <= 1 < large


def test_switches_of_training_are_timed_side_by_side(tmp_path: Path):
    config = REPOSITORY / "configs/baseline/baseline_r18_synthetic.py"
    switches = ["as it is", "plain", "1 worker"]
    output = run_tool(
        "benchmarks/train_speed.py",
        *(config, "--turns", 1, "--steps", 1, "--threads", 1, "--switches", *switches),
        *("--cfg-options", "train_dataloader.batch_size=8"),
        cwd=tmp_path,
    )
    rows = table_of(output)
    assert [row[0] for row in rows] == switches
    for _, images, *shares in rows:
        assert number(images) > 0
        parts = [int(share.removesuffix(" %")) for share in shares]
        assert sum(parts) == pytest.approx(100, abs=2)
        assert parts[1] > 5  # forward
        assert parts[2] > 5  # backward


def test_complexity_of_a_backbone_with_each_method(tmp_path: Path):
    output = run_tool(
        "benchmarks/complexity.py",
        *("--backbones", "r18", "--threads", 1),
        cwd=tmp_path,
    )
    ((name, baseline, sspnet, alm),) = table_of(output)
    assert name == "r18"
    weights, additions = map(number, baseline.split(" / "))
    # As below, at 256x192.
    assert weights == pytest.approx(11.18 + 513 * 26 / 1e6, abs=0.06)
    assert additions == pytest.approx(1.814 * 256 * 192 / 224**2, abs=0.01)
    assert number(alm.split(" / ")[1]) > additions
    assert number(sspnet.split(" / ")[1]) > additions


def test_complexity_counts_what_papers_count(tmp_path: Path):
    output = run_tool(
        "benchmarks/complexity.py",
        *("baseline_r18_synthetic", "sspnet-keypoint_r18*", "--repeats", 1),
        *("--threads", 1),
        cwd=tmp_path,
    )
    baseline, keypoint = table_of(output)
    assert baseline[:2] == ["baseline_r18_synthetic", "128x64"]
    # ResNet-18: 11.18 million parameters without its classifier, and 1.81 billion
    # multiply-adds at 224x224 without it (He et al., arXiv 1512.03385: 1.8).
    assert number(baseline[2]) == pytest.approx(11.18 + 513 * 26 / 1e6, abs=0.01)
    assert number(baseline[3]) == pytest.approx(1.814 * 128 * 64 / 224**2, abs=0.01)
    assert number(baseline[4]) > 0
    assert keypoint[0] == "sspnet-keypoint_r18_synthetic"
    assert number(keypoint[3]) > number(baseline[3])


@pytest.fixture
def classifier(tmp_path: Path) -> ImageClassifier:
    """mmpretrain's MobileNetV2 with random weights, in a checkpoint as it saves one."""
    torch.manual_seed(0)
    model = ImageClassifier(
        backbone=dict(type="MobileNetV2", out_indices=(4, 7)),
        head=dict(type="LinearClsHead", num_classes=9, in_channels=1280),
    )
    model.eval()
    checkpoint = dict(meta={}, state_dict=model.state_dict())
    assert "head.fc.weight" in checkpoint["state_dict"]
    torch.save(checkpoint, tmp_path / "mobilenet_v2.pth")
    return model


def test_features_for_label_errors_are_of_the_given_backbone(classifier, tmp_path):
    images = [*np.random.default_rng(0).integers(256, size=(3, 128, 64, 3), dtype="u1")]
    found = load_tool("benchmarks/label_errors.py").features(
        str(tmp_path / "mobilenet_v2.pth"), images
    )
    rgb = torch.from_numpy(np.stack(images)[..., ::-1].astype(np.float32))
    mean, deviation = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
    pixels = (rgb - torch.tensor(mean)) / torch.tensor(deviation)
    with torch.no_grad():
        expected = classifier.backbone(pixels.movedim(-1, 1))[0].flatten(1)
    expected = (expected - expected.mean(0)) / (expected.std(0) + 1e-3)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_planted_label_errors_and_stored_again_images_are_searched(
    classifier, tmp_path
):
    output = run_tool(
        "benchmarks/label_errors.py",
        *("mobilenet_v2.pth", "--num-samples", 30, "--rates", 0.1),
        cwd=tmp_path,
    )
    ((rate, flipped, *_), *copies) = [
        row for row in table_of(output) if row[0] != "stored again"
    ]
    assert rate == "10%"
    assert number(flipped.split(" of ")[0]) == pytest.approx(0.1 * 30 * 26, rel=0.3)
    assert len(copies) == 8
    assert all(row[1:] == ["100.0%", "100.0%"] for row in copies)
