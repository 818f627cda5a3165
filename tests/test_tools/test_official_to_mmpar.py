"""Official checkpoints become models that are tested, published and predict."""

from __future__ import annotations

import csv
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import DefaultScope
from PIL import Image
from torchvision import transforms

from mmpar.apis.model_files import load_exactly, load_model, publish
from mmpar.models import BNInception
from mmpar.registry import MODELS
from mmpar.structures import SCHEMAS
from mmpar.utils.checkpoint_files import UnsafeCheckpointError, load_from_local
from tests.fixtures.common_pickle import common_entries, write_common
from tests.fixtures.official_weights import (
    sspnet_weights,
    strong_baseline_weights,
    write_dataset,
)
from tests.oracles import official_codes
from tests.oracles.alm import ALMLoop

TOOLS = Path(__file__).parents[2] / "tools"
SCHEMA = SCHEMAS["pa100k"]
COLUMNS = np.random.default_rng(3).permutation(26).tolist()
SIZES = ((30, 80), (192, 256), (150, 300), (401, 700), (97, 61))
"""(W, H) of images: of those that grow, stay as they are, and shrink."""

R18 = ("model.backbone.depth=18", "model.head.in_channels=512")
BACKBONE = dict(
    type="mmpretrain.ResNet", depth=50, style="pytorch", out_indices=(0, 1, 2, 3)
)
OFFICIAL = transforms.Compose(
    [
        transforms.Resize((256, 192)),
        transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ]
)
"""From an image to the input, in the codes of the Strong Baseline and SSPNet."""


def run_tool(name: str, *words: str) -> None:
    argv = sys.argv
    sys.argv = [str(TOOLS / name), *map(str, words)]
    try:
        runpy.run_path(str(TOOLS / name), run_name="__main__")
    finally:
        sys.argv = argv


def convert(folder: Path, config: str, *words: str) -> None:
    run_tool(
        "model_converters/official_to_mmpar.py",
        *(config, folder / "ckpt_max.pth", "--out", folder / "out.pth", *words),
    )


def single(weights):
    """As a GPU trains: float32, and wrapped."""
    return {
        f"module.{k}": v.float() if v.is_floating_point() else v
        for k, v in weights.items()
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Two converted models and what they were converted from."""
    folder = tmp_path_factory.mktemp("official")
    torch.manual_seed(0)
    baseline, sspnet = strong_baseline_weights(18, 26, norm=True), sspnet_weights()
    for name, weights, label, config in (
        ("baseline", baseline, "eval", "baseline_r50_pa100k"),
        ("sspnet", sspnet, "prior", "sspnet_r50_pa100k"),
    ):
        own = folder / name
        own.mkdir()
        state = single(weights)
        unwrapped = {k.removeprefix("module."): v for k, v in state.items()}
        content = dict(state_dicts=state, state_dict_ema=unwrapped, metric=0.8)
        torch.save({**content, "epoch": "in epoch 7"}, own / "ckpt_max.pth")
        data = write_dataset(own / "dataset_all.pkl", SCHEMA, label, COLUMNS)
        words = ["--data", str(data)]
        if name == "baseline":
            words += ["--cfg-options", *R18]
            words += ["test_dataloader.dataset.pipeline.1.backend=cv2"]
        convert(own, config, *words)
    (folder / "images").mkdir()
    rng = np.random.default_rng(0)
    for i, (width, height) in enumerate(SIZES):
        pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"{i}.png")
    return folder


def test_tools_predict_gives_the_official_scores(folder):
    """From an image file to scores by name, through a published file."""
    (folder / "models").mkdir()
    run_tool(
        "model_converters/publish_model.py",
        *(folder / "baseline/out.pth", "--out", folder / "models"),
    )
    (model,) = (folder / "models").glob("*.safetensors")
    run_tool("predict.py", model, folder / "images", "--out", folder / "answers.csv")
    checkpoint = load_from_local(str(folder / "baseline/ckpt_max.pth"))
    weights = {k: v.double() for k, v in checkpoint["state_dict_ema"].items()}
    rows = list(csv.DictReader((folder / "answers.csv").open(encoding="utf-8-sig")))
    assert len(rows) == len(SIZES)
    for row in rows:
        path = folder / "images" / Path(row["img_path"]).name
        inputs = OFFICIAL(Image.open(path)).double()[None]
        with torch.no_grad():
            scores = official_codes.strong_baseline(weights, inputs).sigmoid()[0]
        found = [float(row[f"score:{SCHEMA.names[column]}"]) for column in COLUMNS]
        np.testing.assert_allclose(found, scores, atol=1e-5)
        assert scores.std() > 0.1


@pytest.mark.parametrize("name", ["baseline", "sspnet"])
def test_images_are_the_official_ones(folder, name):
    """Through the converted config's test pipeline and the model's normalization."""
    cfg = Config.fromfile(folder / name / "out.py")
    model, card = load_model(folder / name / "out.pth")
    assert (card.preprocessing.width, card.preprocessing.height) == (192, 256)
    for path in sorted((folder / "images").iterdir()):
        with DefaultScope.overwrite_default_scope("mmpar"):
            sample = Compose(cfg.test_dataloader.dataset.pipeline)(
                dict(img_path=str(path), gt_score=np.zeros(26, np.float32))
            )
        inputs = model.data_preprocessor(pseudo_collate([sample]))["inputs"][0]
        # A grey level is 0.017 and more.
        torch.testing.assert_close(
            inputs, OFFICIAL(Image.open(path)), atol=1e-5, rtol=0
        )


def test_a_converted_sspnet_is_published_and_its_config_fits(folder):
    out = folder / "sspnet/out.pth"
    model, card = load_model(out)
    cfg = Config.fromfile(out.with_suffix(".py"))
    names = [SCHEMA.names[column] for column in COLUMNS]
    assert set(cfg.model.regions.head.attributes) == set(names[:2])
    assert set(card.regions["whole"]["attributes"]) == set(names[14:])
    with DefaultScope.overwrite_default_scope("mmpar"):
        as_tested = MODELS.build({**cfg.model, "backbone": BACKBONE}).eval()
    load_exactly(as_tested, load_from_local(str(out)), "out.pth")
    file = publish(out, folder, say=str, license="MIT")
    published, _ = load_model(file)
    image = torch.randint(0, 256, (1, 3, 256, 192)).float()
    expected = model.test_step(dict(inputs=image))[0].pred_score
    for other in (as_tested, published):
        assert torch.equal(other.test_step(dict(inputs=image))[0].pred_score, expected)


def test_without_an_order_of_its_own_the_dataset_names_all_its_columns(
    folder, tmp_path
):
    entries = common_entries(SCHEMA, ["a.jpg", "b.jpg", "c.jpg", "d.jpg"])
    del entries["label_idx"]
    data = write_common(tmp_path / "dataset_zs.pkl", entries)
    (tmp_path / "ckpt_max.pth").symlink_to(folder / "baseline/ckpt_max.pth")
    convert(tmp_path, "baseline_r50_pa100k", "--data", data, "--cfg-options", *R18)
    found, permuted = (
        load_from_local(str(path / "out.pth"))["state_dict"]["head.classifier.bias"]
        for path in (tmp_path, folder / "baseline")
    )
    assert torch.equal(found, permuted[COLUMNS])


def test_alm_needs_no_dataset_and_gets_its_preprocessing(tmp_path):
    """The config given is that of Caffe's weights, BGR; the code trained on RGB."""
    backbone = BNInception(out_indices=(0, 1, 2)).state_dict()
    state = {f"main_branch.{k}": v for k, v in backbone.items()}
    state |= ALMLoop(26).state_dict()
    state = {f"module.module.{k}": v for k, v in state.items()}
    torch.save(dict(state_dict=state, epoch=41), tmp_path / "ckpt_max.pth")
    convert(tmp_path, "alm_bninception_pa100k")
    model, card = load_model(tmp_path / "out.pth")
    look = card.preprocessing
    assert (look.width, look.height, look.resize) == (128, 256, "pillow")
    assert look.to_rgb
    assert look.std == (58.395, 57.12, 57.375)
    last = state["module.module.st_5b.fc_list.25.bias"]
    assert model.head.localizations[2].classifier_bias.flatten()[25] == last
    with pytest.raises(FileExistsError, match=r"out\.pth exists; delete it first"):
        convert(tmp_path, "alm_bninception_pa100k")
    (tmp_path / "out.pth").unlink()
    with pytest.raises(FileExistsError, match=r"out\.py exists"):
        convert(tmp_path, "alm_bninception_pa100k")
    (tmp_path / "out.py").unlink()
    with pytest.raises(ValueError, match="in the order of the release; leave --data"):
        convert(tmp_path, "alm_bninception_pa100k", "--data", "x.pkl")


@pytest.mark.parametrize(
    ("name", "words", "match"),
    [
        ("baseline", [], r"needs the dataset_\*\.pkl .* its label_idx\.eval names"),
        (
            "sspnet",
            ["--data", "{0}/baseline/dataset_all.pkl"],
            r"expected attr_name and, in label_idx, 'prior'.*label_idx is \{'color'",
        ),
        ("baseline", ["--weights", "best"], "has no entry 'best'"),
        (
            "baseline",  # of another depth than the config
            ["--data", "{0}/baseline/dataset_all.pkl"],
            r"^\S*ckpt_max\.pth: .*missing in the checkpoint",
        ),
        (
            "sspnet",
            ["--data", "{0}/sspnet/dataset_all.pkl", "--cfg-options"]
            + ["test_dataloader.dataset.pipeline.1.scale=(128,256)"],
            r"resizes images to \(128, 256\).*written for \(192, 256\)",
        ),
    ],
)
def test_what_cannot_be_converted_writes_nothing(folder, tmp_path, name, words, match):
    (tmp_path / "ckpt_max.pth").symlink_to(folder / name / "ckpt_max.pth")
    words = [word.format(folder) for word in words]
    with pytest.raises(ValueError, match=match):
        convert(tmp_path, f"{name}_r50_pa100k", *words)
    assert [path.name for path in tmp_path.iterdir()] == ["ckpt_max.pth"]


def test_a_checkpoint_that_runs_code_is_refused(tmp_path):
    torch.save(dict(state_dict=Path("x")), tmp_path / "ckpt_max.pth")
    with pytest.raises(UnsafeCheckpointError):
        convert(tmp_path, "alm_bninception_pa100k")
