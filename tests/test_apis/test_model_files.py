"""A model from a file is the one that was trained, and nothing in the file runs."""

import copy
import json
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import MODELS, DefaultScope
from mmengine.runner import load_checkpoint
from safetensors.torch import save

from mmpar.apis.model_files import load_model, publish
from mmpar.engine import running
from mmpar.structures import (
    DecisionRule,
    ModelCard,
    SchemaMismatchError,
    build_schema,
)
from mmpar.structures.plain_data import to_canonical_json
from mmpar.utils.checkpoint_files import load_from_local
from mmpar.utils.config import add_dump_metric, use_checkpoint
from mmpar.utils.config_data import ConfigCodeError, parse_config_data
from mmpar.utils.model_file import (
    hash_weights,
    read_card,
    read_model_file,
    write_model_file,
)
from tests.fixtures.trained import THIN, write_thin_config


def scores_of(model):
    """Scores of two images of noise, as the model's own test step gives them."""
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randint(0, 256, (2, 3, 128, 64), generator=generator).float()
    samples = model.test_step(dict(inputs=inputs))
    return torch.stack([sample.pred_score for sample in samples])


def as_tested(work_dir):
    """The model of tools/test.py: the config executed, the weights by MMEngine."""
    cfg = Config.fromfile(next(work_dir.glob("*.py")))
    with DefaultScope.overwrite_default_scope("mmpar"):
        model = MODELS.build(cfg.model).eval()
    load_checkpoint(model, str(next(work_dir.glob("best_*.pth"))), map_location="cpu")
    return model


@pytest.mark.parametrize("method", THIN)
def test_every_form_of_a_model_gives_the_scores_of_the_test(
    method, trained_work_dir, tmp_path
):
    work_dir = trained_work_dir(method)
    best = next(work_dir.glob("best_*.pth"))
    lines = []
    file = publish(work_dir, tmp_path, say=lines.append, license="Apache-2.0")
    expected = scores_of(as_tested(work_dir))
    for source in (work_dir, best, file):
        model, card = load_model(source)
        assert not model.training
        assert torch.equal(scores_of(model), expected), source
        assert card.weights_sha256 == read_card(file).weights_sha256
    assert card == replace(load_model(best)[1], license="Apache-2.0")
    assert card.name == method
    assert card.chosen_by["metric"] == "par/mA"
    assert card.chosen_by["split"] == "val"
    assert card.training_data["num_images"] == card.training_data["num_persons"] == 8
    assert card.positive_ratio == tuple(model.head.positive_ratio.tolist())
    assert any("training_data: SyntheticPAR train, 8 images" in line for line in lines)
    assert any("intended_use: unknown" in line for line in lines)


class WhatWasValidated(Hook):
    """Keeps the weights that each validation saw."""

    priority = "LOWEST"

    def before_val_iter(self, runner, batch_idx, data_batch=None):
        self.weights = {k: v.clone() for k, v in runner.model.state_dict().items()}


EMA = """
default_hooks["ema"] = dict(
    type="EMAHook", ema_type="ExponentialMovingAverage", momentum=0.5,
    update_buffers=True, priority="ABOVE_NORMAL")
"""


def test_averaged_weights_are_published_where_the_training_evaluated_them(tmp_path):
    cfg = Config.fromfile(write_thin_config("linear", tmp_path, more=EMA))
    cfg.work_dir, cfg.launcher = str(tmp_path / "work"), "none"
    validated = WhatWasValidated()
    with running(cfg) as runner:
        runner.register_hook(validated)
        runner.train()
    file = publish(tmp_path / "work", tmp_path, say=str)
    _, published = read_model_file(file)
    assert hash_weights(published) == hash_weights(validated.weights)
    checkpoint = load_from_local(str(next((tmp_path / "work").glob("best_*.pth"))))
    trained = checkpoint["ema_state_dict"]["module.head.classifier.weight"]
    assert not torch.equal(published["head.classifier.weight"], trained)


def test_a_model_whose_training_diverged_is_not_published(trained_work_dir, tmp_path):
    checkpoint = load_from_local(str(next(trained_work_dir("linear").glob("best_*"))))
    checkpoint["state_dict"]["head.classifier.weight"][3] = float("nan")
    torch.save(checkpoint, tmp_path / "diverged.pth")
    with pytest.raises(ValueError, match="not finite"):
        publish(tmp_path / "diverged.pth", tmp_path, say=str)
    assert not list(tmp_path.glob("*.safetensors"))


@pytest.fixture
def linear(trained_work_dir, tmp_path):
    """A checkpoint to change: its file and what it holds."""
    work_dir = tmp_path / "work"
    shutil.copytree(trained_work_dir("linear"), work_dir)
    path = next(work_dir.glob("best_*.pth"))
    return path, load_from_local(str(path))


def test_a_checkpoint_without_a_record_is_published_as_unknown(linear, tmp_path):
    path, checkpoint = linear
    del checkpoint["meta"]["training_data"], checkpoint["meta"]["chosen_by"]
    del checkpoint["message_hub"]
    torch.save(checkpoint, path)
    lines = []
    card = read_card(publish(path, tmp_path, say=lines.append))
    assert card.training_data is None
    assert card.chosen_by is None
    said = "\n".join(lines)
    assert "does not say what it was trained on" in said
    assert "not chosen by a metric" in said
    assert "training_data: unknown" in said
    assert "chosen_by: unknown" in said


def test_an_older_checkpoint_s_metric_is_found_in_its_message_hub(linear):
    path, checkpoint = linear
    recorded = checkpoint["meta"].pop("chosen_by")
    torch.save(checkpoint, path)
    chosen = load_model(path)[1].chosen_by
    assert chosen == {**recorded, "checkpoint": path.name}


MALICIOUS = {
    "code in the config": "import os\nos.system('touch CANARY')\n",
    "os.system as a part": (
        "model = dict(type='PARClassifier', backbone=dict(type='os.system', "
        "command='touch CANARY'), head=dict(type='LinearPARHead', in_channels=8, "
        "schema='pa100k'))\n"
    ),
    "os.system deep inside": (
        "model = dict(type='PARClassifier', backbone=dict(type='mmpretrain.ResNet', "
        "depth=18, act_cfg=[dict(type='subprocess.call', args='touch CANARY')]), "
        "head=dict(type='LinearPARHead', in_channels=8, schema='pa100k'))\n"
    ),
    "a part that fetches code": (
        "model = dict(type='PARClassifier', backbone=dict(type='mmpretrain."
        "TIMMBackbone', model_name='resnet18', checkpoint_path='x.pth'), "
        "head=dict(type='LinearPARHead', in_channels=8, schema='pa100k'))\n"
    ),
    "a foreign scope": (
        "model = dict(type='PARClassifier', backbone=dict(type='ResNet', _scope_='os',"
        " depth=18), head=dict(type='LinearPARHead', in_channels=8, schema='pa100k'))\n"
    ),
}


@pytest.mark.parametrize("kind", MALICIOUS)
@pytest.mark.parametrize("of_work_dir", [False, True])
def test_nothing_in_a_config_runs(kind, of_work_dir, linear, monkeypatch):
    path, checkpoint = linear
    config = next(path.parent.glob("*.py"))
    text = f"{config.read_text()}\n"
    if kind == "code in the config":
        text += MALICIOUS[kind]
    else:
        model = parse_config_data(MALICIOUS[kind], kind)
        text = Config({**parse_config_data(text, "good"), **model}).pretty_text
    config.write_text(text)
    checkpoint["meta"]["cfg"] = text
    torch.save(checkpoint, path)
    empty = path.parent / "cwd"
    empty.mkdir()
    monkeypatch.chdir(empty)
    match = r"os\.system|subprocess\.call|TIMMBackbone|import os|_scope_ is 'os'"
    with pytest.raises(ValueError, match=match):
        load_model(path.parent if of_work_dir else path)
    assert os.listdir(empty) == []


def test_a_config_that_needs_code_names_the_way_out_which_works(linear, tmp_path):
    path, checkpoint = linear
    good = tmp_path / "mine.py"
    good.write_text("size = 60 + 4\n" + checkpoint["meta"]["cfg"])
    checkpoint["meta"]["cfg"] = good.read_text()
    torch.save(checkpoint, path)
    with pytest.raises(
        ConfigCodeError, match=r"line 1: 60 \+ 4 is not plain .* --config CONFIG"
    ):
        load_model(path)
    file = publish(path, tmp_path, config=good, say=str)
    assert read_card(file).name == "mine"
    load_model(path.parent)  # the work dir's own config is data


def shorter(weights):
    weights["head.classifier.bias"] = weights["head.classifier.bias"][:-1]


def doubled(weights):
    weights["head.classifier.bias"] = weights["head.classifier.bias"].double()


def of_another_schema(weights):
    text = json.dumps(build_schema("peta").to_dict())
    weights["head._extra_state"] = torch.tensor(list(text.encode()), dtype=torch.uint8)


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        (lambda w: w.pop("head.classifier.bias"), ValueError, "head.classifier.bias"),
        (
            lambda w: w.update(more=torch.zeros(1)),
            ValueError,
            r"\['more'\]|first: more",
        ),
        (shorter, ValueError, r"head\.classifier\.bias"),
        (doubled, ValueError, r"head\.classifier\.bias': 'torch.float64, expected"),
        (of_another_schema, SchemaMismatchError, "only in the first"),
        (
            lambda w: w["head.positive_ratio"].fill_(2),
            ValueError,
            r"positive_ratio of ('\w+' is 2\.0, not a share|the card is)",
        ),
    ],
)
def test_weights_that_do_not_fit_are_named_in_every_form(
    change, error, match, linear, tmp_path
):
    path, checkpoint = linear
    file = publish(path, tmp_path, say=str)
    card, weights = read_model_file(file)
    change(weights)
    card = replace(card, weights_sha256=hash_weights(weights))
    changed = write_model_file(tmp_path / "changed", weights, card)
    change(checkpoint["state_dict"])
    torch.save(checkpoint, path)
    for source in (path, changed):
        with pytest.raises(error, match=match) as raised:
            load_model(source)
        assert str(source) in str(raised.value)


def test_sizes_that_the_weights_do_not_have_take_no_memory(linear, tmp_path):
    path, checkpoint = linear
    card, weights = read_model_file(publish(path, tmp_path, say=str))
    model = {**card.model, "head": {**card.model["head"], "in_channels": 10**9}}
    huge = write_model_file(tmp_path / "huge", weights, replace(card, model=model))
    meta = checkpoint["meta"]
    meta["cfg"] = meta["cfg"].replace("in_channels=64", "in_channels=1000000000")
    torch.save(checkpoint, path)
    for source in (path, huge):
        with pytest.raises(ValueError, match=r"model\.head\.in_channels is 1000000000"):
            load_model(source)


# --- each field of a card -----------------------------------------------------------


def leaves(value, path=()):
    """Paths to the values in a card's data: of a list the first and the last."""
    yield path
    keys = range(len(value)) if isinstance(value, list) else value
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = sorted({0, len(value) - 1}) if value else []
    else:
        keys = []
    for key in keys:
        yield from leaves(value[key], (*path, key))


def at(data, path):
    for key in path:
        data = data[key]
    return data


def others(value):
    """Values to put in the place of one: of its type, and of another."""
    if isinstance(value, bool):
        return [not value, None]
    if isinstance(value, int):
        return [value + 1, "1"]
    if isinstance(value, float):
        return [value + 1, value / 2, None]
    if isinstance(value, str):
        return [f"{value}x", 1, None]
    if isinstance(value, list):
        return [value[:-1], [*value, *value[:1]], {}]
    if isinstance(value, dict):
        return [{**value, "unknown_field": 1}, []]
    return [1, "x"]


def write_with_card(path, text, weights):
    path.write_bytes(sorted_header(save(weights, {"format": "pt", "mmpar": text})))


def sorted_header(content):
    from mmpar.utils.model_file import _with_sorted_metadata

    return _with_sorted_metadata(content)


def test_each_field_changed_or_removed_is_refused_or_changes_what_it_should(
    trained_work_dir, tmp_path
):
    file = publish(trained_work_dir("sspnet"), tmp_path / "good", say=str)
    card, weights = read_model_file(file)
    data, path = card.to_dict(), tmp_path / "changed.safetensors"
    digest = json.loads(card.to_json())["sha256"]
    loaded = 0
    for place in list(leaves(data))[1:]:
        for change in ("removed", *others(at(data, place))):
            changed = copy.deepcopy(data)
            parent = at(changed, place[:-1])
            if change == "removed":
                del parent[place[-1]]
            else:
                parent[place[-1]] = change
            if to_canonical_json(changed) == to_canonical_json(data):
                continue
            stale = to_canonical_json(dict(card=changed, sha256=digest))
            with pytest.raises(ValueError, match="was changed or is damaged"):
                ModelCard.from_json(stale)
            try:
                found = ModelCard.from_dict(changed)
                write_with_card(path, found.to_json(), weights)
                _, found = load_model(path)
            except ValueError:
                continue
            loaded += 1
            assert found != card, place
            differ = {k for k in data if found.to_dict()[k] != data[k]}
            assert differ == {place[0]}
    assert loaded > 30


def scores_by_the_tool(work_dir, checkpoint, out):
    """What tools/test.py dumps of a checkpoint or model file: scores, and decisions."""
    cfg = Config.fromfile(next(work_dir.glob("*.py")))
    cfg.work_dir, cfg.launcher = str(out.parent), "none"
    use_checkpoint(cfg, str(checkpoint))
    cfg.test_evaluator = add_dump_metric(cfg.test_evaluator, str(out))
    with running(cfg) as runner:
        runner.test()
    found = json.loads(out.read_text())["predictions"]
    return [[image[part] for image in found] for part in ("scores", "decisions")]


def test_the_test_of_a_model_file_gives_the_checkpoint_s_scores(
    trained_work_dir, tmp_path
):
    work_dir = trained_work_dir("linear")
    best = next(work_dir.glob("best_*.pth"))
    card, weights = read_model_file(publish(work_dir, tmp_path / "file", say=str))
    rule = DecisionRule(card.schema, 0.25)
    look = replace(card.preprocessing, use_exif=False)
    card = replace(card, decision=rule, preprocessing=look)
    file = write_model_file(tmp_path / "changed", weights, card)
    expected, decided = scores_by_the_tool(work_dir, best, tmp_path / "a.json")
    scores, decisions = scores_by_the_tool(work_dir, file, tmp_path / "b.json")
    assert scores == expected
    assert len(scores) == 4
    assert decisions != decided
    assert decisions == card.decision.decide(np.float32(scores)).astype(int).tolist()
    logged = "".join(path.read_text() for path in tmp_path.glob("*/*.log"))
    assert logged.count("decision rule: thresholds: 0.25") == 1
    assert logged.count("prepares images otherwise than the published model") == 1
