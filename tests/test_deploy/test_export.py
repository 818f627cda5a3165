"""What is exported answers as torch does, says what it is, and nothing else is left."""

import json
import subprocess
import sys
import textwrap
from dataclasses import replace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmpretrain.models.utils import ShiftWindowMSA
from PIL import Image

from mmpar.apis.model_files import build_model
from mmpar.deploy import OnnxPARInferencer, export_onnx
from mmpar.deploy import export as export_module
from mmpar.deploy import graph as graph_module
from mmpar.deploy.crops import draw_crops
from mmpar.deploy.graph import save_graph
from mmpar.deploy.parity import score_crops, torch_scorer
from mmpar.structures import build_schema
from mmpar.structures.decision import Calibration, DecisionRule
from mmpar.structures.model_card import ELSEWHERE, ModelCard
from mmpar.structures.preprocessing import Preprocessing
from tests.fixtures.trained import CONFIGS, THIN
from tests.fixtures.versions import needs_exporter

pytest.importorskip("onnxscript")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

SCHEMA = build_schema("pa100k")
FORMS = {
    "linear": ("linear", {}),
    "block": ("sspnet", dict(neck=dict(ple=dict(type="BlockPLE")))),
    "sparse": ("sspnet", dict(neck=dict(ple=dict(type="SparsePLE")))),
    "keypoint": ("sspnet", dict(neck=dict(ple=dict(type="KeypointPLE")))),
    "learned": ("sspnet-learned", {}),
    "alm": ("alm", {}),
}


def calibrated():
    """A rule that is no plain sigmoid, with a softmax within the ages and the views."""
    count = len(SCHEMA)
    scale = tuple(np.linspace(0.5, 1.5, count).tolist())
    bias = tuple(np.linspace(-0.3, 0.3, count).tolist())
    softmax = tuple(dict(temperature=1.5, none=0.2) for _ in SCHEMA.exclusive)
    data = dict(scale=list(scale), bias=list(bias), softmax=list(softmax))
    return DecisionRule(SCHEMA, 0.4, Calibration.from_dict(SCHEMA, data))


def thin_model(form, to_rgb=True):
    """A model with thin layers and random weights, and its card."""
    base, changes = FORMS[form]
    path, thin = THIN[base]
    cfg = Config.fromfile(CONFIGS / f"{path}.py")
    cfg.merge_from_dict(dict(model=thin))
    cfg.merge_from_dict(dict(model=changes))
    config = cfg.model.to_dict()
    config["backbone"].pop("init_cfg", None)
    regions = config.get("regions") or {}
    for place in ELSEWHERE:
        part, _, key = place.rpartition(".")
        (config[part] if part else config).pop(key, None)
    steps = Preprocessing(
        32, 64, "antialias", "bilinear", (120, 110, 100), (60, 55, 50), to_rgb, True
    )
    card = ModelCard(
        name=form, schema=SCHEMA, regions=regions, model=config, preprocessing=steps,
        decision=calibrated(), chosen_by=None, positive_ratio=(None,) * len(SCHEMA),
        training_data=None, license="CC0-1.0", intended_use="tests",
        versions=dict(mmpar="0", torch="2"), needs_keypoints=form == "keypoint",
        weights_sha256="0" * 64,
    )  # fmt: skip
    torch.manual_seed(0)
    model = build_model(card)
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=1.5 * parameter[0].numel() ** -0.5)
    if form == "learned":
        for scale in model.neck.scale_selection.regions.values():
            torch.nn.init.normal_(scale.logits)
    return model, card


@needs_exporter
@pytest.mark.parametrize("form", [name for name in FORMS if name != "block"])
def test_every_model_answers_as_in_torch(form, tmp_path):
    source = thin_model(form)
    report = export_onnx(source, tmp_path / "model.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    assert report.difference <= 1e-4

    # The report's own check, done again from outside and on other crops.
    model, card = source
    crops = draw_crops(card, 15, seed=1)
    inferencer = OnnxPARInferencer(report.files[0])
    assert inferencer.card == card
    found = score_crops(inferencer.score_array, crops)
    expected = score_crops(torch_scorer(model, card), crops)
    assert np.ptp(expected, axis=0).max() > 0.05  # the crops do not all look the same
    np.testing.assert_allclose(found, expected, atol=1e-4, rtol=0)


@pytest.fixture(
    scope="module", params=[pytest.param(False, id="bgr", marks=needs_exporter)]
)
def block(request, tmp_path_factory):
    """An SSPNet that normalizes pixels in its graph, and what it was exported from."""
    source = thin_model("block", to_rgb=request.param)
    path = tmp_path_factory.mktemp("block") / "model.onnx"
    export_onnx(source, path, takes_pixels=True)
    return path, *source


def test_a_graph_may_take_pixels(block):
    path, model, card = block
    inferencer = OnnxPARInferencer(path)
    assert inferencer.takes_pixels
    crops = draw_crops(card, 9, seed=2)
    np.testing.assert_allclose(
        score_crops(inferencer.score_array, crops),
        score_crops(torch_scorer(model, card), crops),
        atol=1e-4,
        rtol=0,
    )


WITHOUT_TORCH = """
import importlib.abc, json, sys

BLOCKED = "torch torchvision mmengine mmcv mmpretrain cv2 onnx scipy pandas".split()

class Block(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ImportError(f"{name} is not installed here")

sys.meta_path.insert(0, Block())
from mmpar.deploy import OnnxPARInferencer

results = OnnxPARInferencer(sys.argv[1], batch_size=2)(sys.argv[2])
assert not {*BLOCKED} & {*sys.modules}
print(json.dumps([result.to_dict() for result in results]))
"""


def test_files_are_answered_where_torch_is_not_installed(block, tmp_path):
    path, model, card = block
    crops = draw_crops(card, 5, seed=3)
    for i, image in enumerate(crops.images):
        Image.fromarray(image[..., ::-1]).save(tmp_path / f"{i}.png")
    (tmp_path / "broken.png").write_bytes(b"no image")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(WITHOUT_TORCH), path, tmp_path],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    *answers, broken = json.loads(done.stdout)
    assert "broken.png (8 bytes) is not a readable image" in broken["error"]
    expected = score_crops(torch_scorer(model, card), crops)
    found = np.array([[*answer["scores"].values()] for answer in answers])
    np.testing.assert_allclose(found, expected, atol=1e-4, rtol=0)
    decided = card.decision.decide(expected)
    for answer, row in zip(answers, decided):
        names = [name for name, yes in zip(SCHEMA.names, row) if yes]
        assert answer["present"] == names


def edit(path, out, change):
    graph = onnx.load(str(path))
    del graph.metadata_props[1:]  # the digest
    change(graph)
    save_graph(graph, out)
    return out


def other_size(graph):
    card = ModelCard.from_json(graph.metadata_props[0].value)
    steps = replace(card.preprocessing, height=65)
    card = replace(card, preprocessing=steps)
    graph.metadata_props[0].value = card.to_json()


def damaged(graph):
    text = graph.metadata_props[0].value
    graph.metadata_props[0].value = text.replace("CC0-1.0", "MIT")


def unlabelled(graph):
    del graph.metadata_props[:]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (other_size, r"its card describes .*65"),
        (damaged, "the card was changed or is damaged"),
        (unlabelled, "was not exported by mmpar"),
    ],
)
def test_a_file_whose_card_does_not_fit_is_refused(block, tmp_path, change, message):
    changed = edit(block[0], tmp_path / "changed.onnx", change)
    with pytest.raises(ValueError, match=message):
        OnnxPARInferencer(changed)


def test_a_changed_byte_anywhere_is_refused(block, tmp_path):
    content, path = block[0].read_bytes(), tmp_path / "flipped.onnx"
    rng = np.random.default_rng(0)
    last = range(len(content) - 82, len(content), 9)  # the digest itself
    for place in (*rng.integers(0, len(content), 40), *last):
        flipped = bytearray(content)
        flipped[place] ^= 1 << rng.integers(8)
        path.write_bytes(flipped)
        with pytest.raises(ValueError, match=r"flipped\.onnx"):
            OnnxPARInferencer(path)
    path.write_bytes(content)
    OnnxPARInferencer(path)


def test_what_is_no_onnx_file_is_refused(tmp_path):
    (tmp_path / "text.onnx").write_text("no graph")
    with pytest.raises(ValueError, match="cannot be run by ONNX Runtime"):
        OnnxPARInferencer(tmp_path / "text.onnx")
    with pytest.raises(FileNotFoundError, match="no exported model"):
        OnnxPARInferencer(tmp_path / "none.onnx")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(out="model.pt"), "ends in .onnx"),
        (dict(precision="int4"), "precision is one of"),
        (dict(precision="int8"), "int8 needs images"),
    ],
)
def test_what_cannot_be_exported_is_said_before_the_work(arguments, message, tmp_path):
    out = tmp_path / arguments.pop("out", "model.onnx")
    with pytest.raises(ValueError, match=message):
        export_onnx("no/such/model", out, **arguments)


def reuse(monkeypatch, path, change=None):
    """Take the graph of a fixture instead of a new one, which takes seconds."""

    def build_graph(*_):
        graph = onnx.load(str(path))
        if change:
            change(graph)
        return graph

    monkeypatch.setattr(export_module, "build_graph", build_graph)


def shift_one_bias(graph):
    for value in graph.graph.initializer:
        if value.name.endswith(".bias") and "classifiers" in value.name:
            changed = onnx.numpy_helper.to_array(value).copy()
            changed += 0.01
            value.CopyFrom(onnx.numpy_helper.from_array(changed, value.name))
            return
    raise AssertionError("no classifier's bias is found")


def test_an_export_that_answers_differently_leaves_no_file(
    block, tmp_path, monkeypatch
):
    path, *source = block
    reuse(monkeypatch, path, shift_one_bias)
    out = tmp_path / "model.onnx"
    out.write_bytes(b"what was there")
    with pytest.raises(ValueError, match=r"answers differently.*Nothing was written"):
        export_onnx(tuple(source), out)
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    assert out.read_bytes() == b"what was there"


def labelled_config(tmp_path, count=24):
    path = tmp_path / "data.py"
    path.write_text(
        f"""
default_scope = "mmpar"
val_dataloader = dict(dataset=dict(
    type="SyntheticPAR", num_samples={count}, split="val", test_mode=True,
    pipeline=[dict(type="DrawSyntheticPerson"), dict(type="Resize", scale=(32, 64)),
              dict(type="PackPARInputs")]))
"""
    )
    return path


def test_half_precision_and_int8_are_measured(block, tmp_path, monkeypatch):
    path, model, card = block
    reuse(monkeypatch, path)
    # Random weights, unlike trained ones, amplify the rounding tenfold.
    half = export_onnx((model, card), tmp_path / "half.onnx", "fp16", tolerance=0.05)
    assert 1e-4 < half.difference <= 0.05
    data = labelled_config(tmp_path)
    images = [image[..., ::-1] for image in draw_crops(card, 16, seed=4).images]
    options = dict(images=images, data=data)
    int8 = export_onnx(
        (model, card), tmp_path / "int8.onnx", "int8", max_mA_loss=20, **options
    )
    assert OnnxPARInferencer(int8.files[0]).card == card
    kinds = {node.op_type for node in onnx.load(str(int8.files[0])).graph.node}
    assert {"QuantizeLinear", "DequantizeLinear"} <= kinds
    torch_mA, mA = int8.mean_accuracy
    assert torch_mA != mA
    options.update(max_mA_loss=torch_mA - mA - 1e-6)
    with pytest.raises(ValueError, match="points are lost"):
        export_onnx((model, card), tmp_path / "none.onnx", "int8", **options)
    assert not (tmp_path / "none.onnx").exists()


def test_openvino_answers_the_same(block, tmp_path, monkeypatch):
    pytest.importorskip("openvino")
    path, *source = block
    reuse(monkeypatch, path)
    report = export_onnx(tuple(source), tmp_path / "model.xml")
    names = [file.name for file in report.files]
    assert names == ["model.bin", "model.xml"]
    assert report.difference <= 1e-4


@needs_exporter
def test_windows_of_swin_are_traced_for_batches_of_any_size():
    torch.manual_seed(0)
    attention = ShiftWindowMSA(
        embed_dims=4, num_heads=1, window_size=2, shift_size=1
    ).eval()
    tokens = torch.randn(5, 32, 4)
    batch = {0: torch.export.Dim("batch")}
    with graph_module._batches_of_any_size(), torch.no_grad():
        program = torch.export.export(
            attention, (tokens[:2], (8, 4)), dynamic_shapes=(batch, (None, None))
        )
    with torch.no_grad():
        expected = attention(tokens, (8, 4))
        assert torch.equal(program.module()(tokens, (8, 4)), expected)
