"""Attributes by words alone, from a tower with a text side."""

import csv
import json

import numpy as np
import pytest
import torch
from PIL import Image

from mmpar import PARInferencer
from mmpar.apis.cached_features import cache_features, join_tower
from mmpar.apis.model_files import load_model
from mmpar.engine import running
from tests.fixtures.scopes import default_scope_restored
from tests.fixtures.tiny_towers import CLIP, write_pair
from tests.test_tools.run import run_tool

open_clip = pytest.importorskip("open_clip")

TEXTS = ["carries a red umbrella", "rides a bicycle"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """With a joined model of each kind, and one image."""
    folder = tmp_path_factory.mktemp("texts")
    with default_scope_restored(), pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for kind in ("query", "linear"):
            images, cached = write_pair(kind)
            cached.train_cfg.max_epochs = 1
            cache_features(cached, lambda line: None)
            with running(cached) as runner:
                runner.train()
            join_tower(images, cached.work_dir, f"{kind}.pth", lambda line: None)
        images.model.backbone.text = False
        del images.model.backbone.model["text_cfg"]
        join_tower(images, cached.work_dir, "without.pth", lambda line: None)
    pixels = np.random.default_rng(0).integers(0, 256, (90, 40, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "person.png")
    return folder


def home_made(path):
    """Scores by open_clip alone, from the weights and the prompts as documented."""
    whole = open_clip.CLIP(**CLIP).eval()
    weights = torch.load("tower.pth")
    renamed = {k.removeprefix("text."): v for k, v in weights.items()}
    whole.load_state_dict(renamed)
    image = Image.open(path).convert("RGB").resize((64, 64), Image.BILINEAR)
    pixels = torch.from_numpy(np.array(image, np.float32)).permute(2, 0, 1)[None]
    seen = whole.encode_image(pixels / 127.5 - 1, normalize=True)
    scores = []
    for text in TEXTS:
        prompts = [
            f"a photo of a person who {text}",
            f"a photo of a person, but not of one who {text}",
        ]
        tokens = open_clip.get_tokenizer("ViT-B-16")(prompts)
        cosines = seen @ whole.encode_text(tokens, normalize=True).t()
        scores.append((whole.logit_scale.exp() * cosines).softmax(1)[0, 0].item())
    return scores


@pytest.mark.parametrize("kind", ["query", "linear"])
@torch.no_grad()
def test_a_score_is_the_softmax_of_prompt_and_negation(folder, kind, monkeypatch):
    monkeypatch.chdir(folder)
    (plain,) = PARInferencer(f"{kind}.pth")("person.png")
    (found,) = PARInferencer(f"{kind}.pth", texts=TEXTS)("person.png")
    assert list(found.texts) == TEXTS
    expected = home_made("person.png")
    assert abs(expected[0] - 0.5) > 0.01  # it does not hold for any answer
    assert list(found.texts.values()) == pytest.approx(expected, abs=1e-5)
    assert found.scores == pytest.approx(plain.scores, abs=1e-6)
    assert found.present == plain.present
    assert plain.texts == {}


def test_the_command_line_writes_texts(folder):
    words = [word for text in TEXTS for word in ("--text", text)]
    for ending in ("jsonl", "csv"):
        out = folder / f"answers.{ending}"
        arguments = ("query.pth", "person.png", "--out", out, *words)
        run_tool("predict.py", *arguments, cwd=folder)
    row = json.loads((folder / "answers.jsonl").read_text())
    with (folder / "answers.csv").open(encoding="utf-8-sig") as file:
        (columns,) = csv.DictReader(file)
    assert list(row["texts"]) == TEXTS
    for text, score in row["texts"].items():
        assert float(columns[f"text:{text}"]) == score


def test_a_model_without_a_text_side_says_so(folder):
    with pytest.raises(ValueError, match="OpenCLIPTower without a text side"):
        PARInferencer(folder / "without.pth", texts=TEXTS)


def test_a_head_is_joined_without_the_text_side_too(folder):
    ours, theirs = (
        load_model(folder / name)[0].state_dict()
        for name in ("without.pth", "linear.pth")
    )
    assert {key for key in theirs if key not in ours} == {
        key for key in theirs if key.startswith("backbone.text.")
    }


def test_an_empty_text_is_refused(folder):
    with pytest.raises(ValueError, match="each says something about a person"):
        PARInferencer(folder / "query.pth", texts=[" "])
