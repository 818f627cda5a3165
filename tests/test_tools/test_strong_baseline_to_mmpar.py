"""Checkpoints of the Strong Baseline's code convert, and predict the same."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmpretrain.models import ResNet
from mmpretrain.registry import MODELS
from torch import Tensor, nn

from mmpar.structures import SCHEMAS
from mmpar.utils.checkpoint_files import load_from_local
from tests.fixtures.common_pickle import common_entries, write_common

TOOL = Path(__file__).parents[2] / "tools/model_converters/strong_baseline_to_mmpar.py"
SCHEMA = SCHEMAS["pa100k"]


class Official(nn.Module):
    """The names and the arithmetic of models/base_block.py, linear classifier."""

    def __init__(self, norm: bool) -> None:
        super().__init__()
        self.backbone = ResNet(18, style="pytorch")
        self.classifier = nn.Module()
        after = nn.BatchNorm1d(len(SCHEMA)) if norm else nn.Identity()
        self.classifier.logits = nn.Sequential(nn.Linear(512, len(SCHEMA)), after)
        for parameter in self.classifier.parameters():
            nn.init.normal_(parameter)
        if norm:
            after.running_mean.normal_()
            after.running_var.uniform_(0.5, 2)

    def forward(self, image: Tensor) -> Tensor:
        features = self.backbone(image)[0].mean((2, 3))
        return self.classifier.logits(features)


def data(folder: Path) -> list[int]:
    """Write the pickle; which attribute each logit is of."""
    entries = common_entries(SCHEMA, ["a.jpg", "b.jpg", "c.jpg", "d.jpg"])
    rng = np.random.default_rng(3)
    entries["label_idx"]["eval"] = rng.permutation(len(SCHEMA)).tolist()
    write_common(folder / "dataset_all.pkl", entries)
    return entries["label_idx"]["eval"]


def convert(folder: Path, state: dict, *words: str) -> dict[str, Tensor]:
    torch.save(dict(state_dicts=state, epoch="in epoch 7"), folder / "ckpt_max.pth")
    argv = sys.argv
    sys.argv = [str(TOOL), str(folder / "ckpt_max.pth"), str(folder / "out.pth")]
    sys.argv += [f"--data={folder / 'dataset_all.pkl'}", *words]
    try:
        runpy.run_path(str(TOOL), run_name="__main__")
    finally:
        sys.argv = argv
    return load_from_local(str(folder / "out.pth"))["state_dict"]


@pytest.mark.parametrize("norm", [False, True], ids=["linear", "BN"])
@pytest.mark.parametrize("prefix", ["", "module.", "module.module."])
def test_a_converted_checkpoint_predicts_each_attribute_alike(tmp_path, norm, prefix):
    torch.manual_seed(0)
    official = Official(norm).eval()
    order = data(tmp_path)
    state = {prefix + key: value for key, value in official.state_dict().items()}
    converted = convert(tmp_path, state, "--schema=pa100k")
    model = MODELS.build(
        dict(
            type="mmpretrain.ImageClassifier",
            backbone=dict(type="mmpretrain.ResNet", depth=18, style="pytorch"),
            neck=dict(type="mmpretrain.GlobalAveragePooling"),
            head=dict(type="mmpar.LinearPARHead", schema="pa100k", in_channels=512),
        )
    ).eval()
    model.load_state_dict(converted)
    image = torch.randn(2, 3, 64, 32)
    with torch.no_grad():
        logits = model.head(model.extract_feat(image))
        expected = official(image)
    for output, attribute in enumerate(order):
        torch.testing.assert_close(
            logits[:, attribute], expected[:, output], rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda s: s.pop("backbone.conv1.weight"), "of no ResNet of depth 18, 34"),
        (lambda s: s.update(extra=torch.zeros(1)), r"holds \['classifier.*'extra'\]"),
        (lambda s: s.pop("classifier.logits.0.bias"), "expected the linear classifier"),
    ],
)
def test_what_does_not_fit_is_an_error(tmp_path, change, match):
    data(tmp_path)
    state = Official(norm=False).state_dict()
    change(state)
    with pytest.raises(ValueError, match=match):
        convert(tmp_path, state, "--schema=pa100k")


def test_another_data_set_is_an_error_with_the_names(tmp_path):
    data(tmp_path)
    with pytest.raises(ValueError, match=r"predicts 26 attributes.*'PETA' has 35"):
        convert(tmp_path, Official(norm=False).state_dict(), "--schema=peta")
