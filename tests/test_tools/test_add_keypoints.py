"""The tool writes keypoints that the dataset reads."""

import json

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmpar.datasets import PETA
from mmpar.registry import DATASETS
from tests.fixtures.pa100k import generated_rows, write_pa100k_release
from tests.fixtures.peta import write_peta_release
from tests.fixtures.pose_models import RED_ONLY, BrightSpots, export, spots
from tests.fixtures.wider import generated_persons, write_wider_release
from tests.test_tools.run import REPOSITORY, run_tool

SPOT = (14.0, 20.0)


@pytest.fixture
def release(tmp_path):
    """Ten images, each with a red spot at its own height."""
    root = write_peta_release(tmp_path / "peta", 10)
    for split in PETA.SPLITS:
        dataset = PETA(data_root=str(root), split=split)
        for i in range(len(dataset)):
            path = dataset.get_data_info(i)["img_path"]
            image = spots((80, 30), (SPOT[0], height_of(path)), SPOT)
            cv2.imwrite(path, image)
    return root


def height_of(path):
    """The true place of the spot, from the number that is the image's name."""
    return 15.0 + 5 * int(path.rsplit("/", 1)[-1].split(".")[0])


def samples(release):
    for split in ("train", "val", "test"):
        dataset = PETA(data_root=str(release), split=split, keypoints="keypoints.npy")
        yield from (dataset.get_data_info(i) for i in range(len(dataset)))


def add(release, *arguments):
    out = release / "keypoints.npy"
    return run_tool(
        "dataset_converters/add_keypoints.py",
        *("PETA", release, "--out", out, *arguments),
        cwd=release,
    )


def test_from_a_detectors_file(release):
    people = []
    for i in range(1, 10):  # the tenth is not found
        points = np.tile([i, 2 * i, 0.7], (17, 1))
        points[0, 2] = 0.2  # not sure
        points[1, 0] = 40.0  # outside
        points = points.ravel().tolist()
        people.append(dict(image_id=f"{i:05}.png", keypoints=points, score=1))
    (release / "x.json").write_text(
        json.dumps([*people, dict(people[0], image_id="q")])
    )
    output = " ".join(add(release, "--from-json", release / "x.json").split())
    assert "has 1 images that PETA does not have, first ['q']" in output
    assert "10 images, 9 with keypoints, 1 without" in output
    assert "9 keypoints lie outside their image" in output
    assert "9 keypoints found by this run have scores below 0.3" in output
    found = {info["img_path"][-9:]: info["gt_keypoints"] for info in samples(release)}
    assert len(found) == 10
    for name, keypoints in found.items():
        i = int(name[:5])
        expected = (i + 0.5, 2 * i + 0.5, 1) if i < 10 else (0, 0, 0)
        unsure_or_outside, keypoints = keypoints[0, :2], keypoints[0, 2:]
        np.testing.assert_allclose(keypoints, np.tile(expected, (15, 1)))
        assert not unsure_or_outside.any()


def test_from_a_pose_model_and_again_after_a_broken_image(release):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    model = export(BrightSpots(), release / "pose.onnx", ["heat"])
    broken = next(iter((release / "images").glob("00007.*")))
    whole = broken.read_bytes()
    broken.write_bytes(whole[:50])
    arguments = ("--from-onnx", model, "--batch-size", 3)
    with pytest.raises(AssertionError, match=r"00007.*not a readable"):
        add(release, *arguments)
    assert not (release / "keypoints.npy").exists()
    assert (release / ".keypoints.npy.unfinished").exists()
    broken.write_bytes(whole)
    assert "10 images, 10 with keypoints, 0 without" in add(release, *arguments)
    for info in samples(release):
        keypoints = info["gt_keypoints"][0]
        red = (SPOT[0], height_of(info["img_path"]))
        np.testing.assert_allclose(keypoints[0, :2], red, atol=1.0)
        np.testing.assert_allclose(keypoints[RED_ONLY, :2], SPOT, atol=1.0)


def test_the_source_must_be_said(release):
    with pytest.raises(AssertionError, match="--from-json --from-onnx is required"):
        add(release)


def test_persons_cut_out_of_images_are_refused(tmp_path):
    splits = ("train", "val", "test")
    persons = [one for split in splits for one in generated_persons(split, 2, 0)]
    write_wider_release(tmp_path, persons)
    with pytest.raises(AssertionError, match=r"WIDERAttribute crops persons out"):
        run_tool(
            "dataset_converters/add_keypoints.py",
            *("WIDERAttribute", tmp_path, "--out", "k.npy", "--from-json", "x.json"),
            cwd=tmp_path,
        )


def test_the_keypoint_config_reads_what_the_tool_writes(tmp_path, monkeypatch):
    root = tmp_path / "data/pa100k"
    parts = ("train", "val", "test")
    rows = {part: generated_rows(2, first=10 * i) for i, part in enumerate(parts)}
    write_pa100k_release(root, rows, image_size=(96, 128))
    names = [name for part_rows in rows.values() for name, _ in part_rows]
    nose = [48.0, 32.0, 0.9] + [0.0] * 48
    people = [dict(image_id=name, keypoints=nose, score=1) for name in names]
    (tmp_path / "results.json").write_text(json.dumps(people))
    run_tool(
        "dataset_converters/add_keypoints.py",
        *("PA100K", "data/pa100k", "--out", "data/pa100k/keypoints.npy"),
        *("--from-json", "results.json"),
        cwd=tmp_path,
    )
    monkeypatch.chdir(tmp_path)
    init_default_scope("mmpar")
    cfg = Config.fromfile(REPOSITORY / "configs/sspnet/sspnet-keypoint_r50_pa100k.py")
    for part in parts:
        dataset = DATASETS.build(cfg[f"{part}_dataloader"].dataset)
        found = dataset[1]["data_samples"].gt_keypoints
        assert found.shape == (1, 17, 3)
        # The middle of pixel (48, 32), resized to 192x256; the training also flips it
        # (97 to 95) and crops after a padding of 10.
        reach = 12 if part == "train" else 0
        assert abs(found[0, 0, :2] - torch.tensor([97.0, 65.0])).max() <= reach
        assert found[0, :, 2].tolist() == [1] + [0] * 16
