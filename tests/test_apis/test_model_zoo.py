"""Models by name, as mmpretrain's functions of these names give theirs."""

import inspect

import mmpretrain
import pytest
import torch
from mmengine.config import Config

from mmpar import get_model, list_models
from mmpar.apis.model_files import load_model, publish
from mmpar.structures import SchemaMismatchError


def test_the_signatures_are_mmpretrain_s():
    for ours, theirs in (
        (list_models, mmpretrain.list_models),
        (get_model, mmpretrain.get_model),
    ):
        assert [*inspect.signature(ours).parameters] == [
            *inspect.signature(theirs).parameters
        ]


def test_models_are_listed_by_pattern():
    names = list_models()
    assert names == sorted({*names})
    assert len(names) > 40
    baselines = list_models("baseline*_r50_pa100k")
    assert baselines == [
        "baseline-ema_r50_pa100k_trainval-test",
        "baseline_r50_pa100k",
        "baseline_r50_pa100k_trainval-test",
    ]
    assert list_models("baseline_r50_pa100k", ["*trainval"]) == ["baseline_r50_pa100k"]
    results = "Pedestrian Attribute Recognition"
    assert {*list_models(task="null"), *list_models(task=results)} <= {*names}
    assert list_models("no_model") == []


def test_a_model_is_built_by_its_name_without_fetching_weights():
    thin = dict(base_channels=8, stem_channels=8)
    model = get_model(
        "baseline_r18_synthetic", backbone=thin, head=dict(in_channels=64)
    )
    assert not model.training
    assert model._dataset_meta["classes"] == list(model.head.schema.names)
    assert model._metainfo["Name"] == "baseline_r18_synthetic"
    assert model.backbone.base_channels == 8
    with pytest.raises(ValueError, match=r"did you mean baseline_r18_synthetic"):
        get_model("baseline_r18_syntetic")
    with pytest.raises(ValueError, match="no weights of baseline_r18_synthetic are p"):
        get_model("baseline_r18_synthetic", pretrained=True)


def test_given_weights_are_loaded_from_every_form_or_refused(
    trained_work_dir, tmp_path, log
):
    work_dir = trained_work_dir("linear")
    config = next(work_dir.glob("*.py"))
    file = publish(work_dir, tmp_path, say=str)
    expected = load_model(file)[0].state_dict()
    cfg = Config.fromfile(config)
    for source in (work_dir, next(work_dir.glob("best_*.pth")), file):
        for model in (config, cfg):
            found = get_model(model, str(source)).state_dict()
            assert all(torch.equal(found[name], expected[name]) for name in expected)
    cfg.load_from = "nowhere/model.safetensors"
    mapped = get_model(cfg, True, url_mapping=("nowhere/.*", str(file)))
    assert mapped.head.decision_rule == load_model(file)[1].decision
    with pytest.raises(ValueError, match=r"head\.classifier\.weight"):
        get_model(cfg, str(file), head=dict(in_channels=32))
    with pytest.raises(SchemaMismatchError, match=str(file)):
        get_model(cfg, str(file), head=dict(schema="peta"))
