"""Checkpoints of ALM's released code convert completely, and predict the same."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest
import torch
from mmpretrain.registry import MODELS
from torch import Tensor

from mmpar.models import BNInception
from mmpar.structures import SCHEMAS, SchemaMismatchError
from mmpar.utils.checkpoint_files import UnsafeCheckpointError, load_from_local
from tests.oracles.alm import ALMLoop

TOOL = Path(__file__).parents[2] / "tools/model_converters/alm_to_mmpar.py"


def model_of(schema: str):
    return MODELS.build(
        dict(
            type="mmpar.PARClassifier",
            backbone=dict(type="mmpar.BNInception", out_indices=(0, 1, 2)),
            head=dict(
                type="mmpar.ALMHead", schema=schema, in_channels=(320, 608, 1024)
            ),
        )
    ).eval()


@pytest.fixture(scope="module")
def official() -> tuple[BNInception, ALMLoop]:
    """The loop and a backbone with the names of the released code, PA-100K."""
    torch.manual_seed(0)
    return BNInception(out_indices=(0, 1, 2)).eval(), ALMLoop(26).eval()


def state_of(official: tuple[BNInception, ALMLoop]) -> dict[str, Tensor]:
    backbone, loop = official
    main = {f"main_branch.{k}": v for k, v in backbone.state_dict().items()}
    return {f"module.{k}": v for k, v in {**main, **loop.state_dict()}.items()}


def run_tool(*arguments: str) -> None:
    argv = sys.argv
    sys.argv = [str(TOOL), *arguments]
    try:
        runpy.run_path(str(TOOL), run_name="__main__")
    finally:
        sys.argv = argv


def test_the_names_are_those_of_the_released_code(official) -> None:
    """Shapes at one end and the other, and how many: 3 x 26 x 8 + 69 x 7 + 8."""
    state = state_of(official)
    assert len(state) == 3 * 26 * 8 + 69 * 7 + 8
    assert state["module.st_3b.fc_list.25.weight"].shape == (1, 768)
    assert state["module.st_4d.stn_list.0.bias"].shape == (4,)
    assert state["module.st_5b.att_list.3.conv2.weight"].shape == (256, 16, 1, 1)
    assert state["module.latlayer_4d.weight"].shape == (256, 608, 1, 1)
    assert state["module.finalfc.weight"].shape == (26, 1024)
    assert state["module.main_branch.inception_4e_double_3x3_2.bias"].shape == (256,)


@pytest.mark.parametrize("prefix", ["module.module.", "module.", ""])
@pytest.mark.parametrize("counted", [True, False], ids=["torch 1", "torch 0.4"])
def test_a_converted_checkpoint_predicts_as_the_loop(
    official, tmp_path, prefix: str, counted: bool
) -> None:
    state = {
        key.replace("module.", prefix): value
        for key, value in state_of(official).items()
        if counted or not key.endswith("num_batches_tracked")
    }
    torch.save(dict(epoch=60, state_dict=state, best_accu=0.9), tmp_path / "60.pth.tar")
    run_tool(str(tmp_path / "60.pth.tar"), str(tmp_path / "out.pth"), "--schema=pa100k")

    model = model_of("pa100k")
    model.load_state_dict(load_from_local(str(tmp_path / "out.pth"))["state_dict"])
    image = torch.randn(1, 3, 256, 128)
    backbone, loop = official
    with torch.no_grad():
        expected = torch.stack(loop(list(backbone(image)))[0]).amax(0)
        logits = model.head(model.extract_feat(image))
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-5)


def test_a_converted_checkpoint_carries_its_schema(official, tmp_path) -> None:
    torch.save(state_of(official), tmp_path / "bare.pth")
    run_tool(str(tmp_path / "bare.pth"), str(tmp_path / "out.pth"), "--schema=pa100k")
    state = load_from_local(str(tmp_path / "out.pth"))["state_dict"]
    model = model_of(SCHEMAS["pa100k"].to_dict() | {"groups": {}})
    with pytest.raises(SchemaMismatchError):
        model.load_state_dict(state)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("module.st_4d.att_list.7.conv1.weight"), "lacks 1 tensors"),
        (lambda s: s.update({"module.extra": torch.zeros(1)}), r"no place.*'extra'"),
        (
            lambda s: s.update({"module.finalfc.bias": torch.zeros(51)}),
            "predicts 51 attributes, but the schema 'PA-100K' has 26",
        ),
        (
            lambda s: s.update({"module.latlayer_3b.bias": torch.zeros(8)}),
            "latlayer_3b.bias has the shape",
        ),
    ],
)
def test_what_does_not_fit_is_an_error(official, tmp_path, change, message) -> None:
    state = state_of(official)
    change(state)
    torch.save(state, tmp_path / "bad.pth")
    with pytest.raises(ValueError, match=message):
        run_tool(str(tmp_path / "bad.pth"), str(tmp_path / "o.pth"), "--schema=pa100k")
    assert not (tmp_path / "o.pth").exists()


def test_a_checkpoint_that_runs_code_is_refused(tmp_path) -> None:
    torch.save(dict(state_dict=Path("x")), tmp_path / "bad.pth")
    with pytest.raises(UnsafeCheckpointError):
        run_tool(str(tmp_path / "bad.pth"), str(tmp_path / "o.pth"), "--schema=pa100k")
