"""Heads on cached features: caching, training, and joining with the tower."""

import copy
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from mmengine.registry import DefaultScope

from mmpar.apis.cached_features import cache_features, join_tower
from mmpar.apis.inferencer import PARInferencer
from mmpar.apis.model_files import publish, read_model_file
from mmpar.deploy import export_onnx
from mmpar.engine import running
from mmpar.models import OpenCLIPTower
from mmpar.registry import MODELS
from mmpar.structures import Preprocessing
from mmpar.utils import feature_cache
from mmpar.utils.config import add_dump_metric, use_checkpoint
from mmpar.utils.feature_cache import FeatureCacheWriter
from tests.fixtures.tiny_towers import CLIP, write_pair, write_weights
from tests.fixtures.versions import needs_exporter

pytest.importorskip("open_clip")


@pytest.fixture
def configs(tmp_path, monkeypatch):
    """``configs(kind)``: see :func:`write_pair`, in the current folder."""
    monkeypatch.chdir(tmp_path)
    return write_pair


def train(cfg):
    with running(cfg) as runner:
        runner.train()
        return runner.message_hub.get_scalar("val/par/mA").current()


def scores(cfg, checkpoint):
    """Of the test images, a row each."""
    cfg = copy.deepcopy(cfg)
    use_checkpoint(cfg, checkpoint)
    cfg.test_evaluator = add_dump_metric(cfg.test_evaluator, "scores.csv")
    with running(cfg) as runner:
        runner.test()
    table = pd.read_csv("scores.csv")
    return table[[name for name in table if "score" in name]].to_numpy()


def quiet(line):
    """Nothing."""


@pytest.mark.parametrize("kind", ["query", "linear"])
def test_a_head_on_cached_features_becomes_one_model_on_images(configs, kind):
    images, cached = configs(kind)
    cache_features(cached, quiet)
    assert json.loads(Path(kind, "cache.json").read_text())["num_images"] == 20
    train(cached)
    expected = scores(cached, cached.work_dir + "/epoch_2.pth")
    join_tower(images, cached.work_dir + "/epoch_2.pth", "joined.pth", quiet)
    found = scores(images, "joined.pth")
    assert found.shape == (4, 26)
    assert found.std(axis=0).min() > 0  # of each attribute, they tell images apart
    # Cached features are rounded to half precision.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)


def test_the_joined_model_answers_as_published(configs):
    images, cached = configs()
    cache_features(cached, quiet)
    train(cached)
    join_tower(images, cached.work_dir, "joined.pth", quiet)
    path = publish("joined.pth", "model.safetensors", say=quiet)
    image = np.random.default_rng(0).integers(0, 256, (90, 40, 3), np.uint8)
    ((one,), (other,)) = (PARInferencer(p)(image) for p in ("joined.pth", path))
    assert one.scores == other.scores
    assert len(one.scores) == 26


def test_a_head_is_trained_on_images_too_and_its_tower_stays(configs):
    images, _ = configs()
    train(images)
    found = torch.load(images.work_dir + "/epoch_2.pth", weights_only=False)
    weights = torch.load("tower.pth")
    for name, value in weights.items():
        assert torch.equal(found["state_dict"][f"backbone.{name}"], value), name


def test_a_joined_model_is_trained_further_with_its_tower(configs):
    images, cached = configs()
    cache_features(cached, quiet)
    train(cached)
    join_tower(images, cached.work_dir, "joined.pth", quiet)
    images.load_from = "joined.pth"
    images.model.backbone.update(frozen=False, text=False, init_cfg=None)
    train(images)
    before = torch.load("tower.pth")
    found = torch.load(images.work_dir + "/epoch_2.pth", weights_only=False)
    tower = {k: v for k, v in found["state_dict"].items() if k.startswith("backbone.")}
    assert tower.keys() == {f"backbone.{k}" for k in before if k.startswith("visual.")}
    changed = [not torch.equal(v, before[k[9:]]) for k, v in tower.items()]
    assert all(changed)


def test_a_joined_model_is_trained_further_with_lora(configs):
    images, cached = configs()
    cache_features(cached, quiet)
    train(cached)
    join_tower(images, cached.work_dir, "joined.pth", quiet)
    images.load_from = "joined.pth"
    lora = dict(targets=r".*\.attn\.in_proj_weight", rank=2, alpha=4)
    images.model.backbone.update(lora=lora, init_cfg=None)
    images.optim_wrapper.optimizer.lr = 0.03
    train(images)
    trained = images.work_dir + "/epoch_2.pth"
    found = torch.load(trained, weights_only=False)["state_dict"]
    for name, value in torch.load("tower.pth").items():
        own = name.replace("in_proj_weight", "parametrizations.in_proj_weight.original")
        if name.startswith("visual."):
            assert torch.equal(found[f"backbone.{own}"], value), name
    started = torch.load("joined.pth", weights_only=False)["state_dict"]
    assert not torch.equal(found["head.queries"], started["head.queries"])

    file = str(publish(trained, "model.safetensors", say=quiet))
    card, weights = read_model_file(file)
    assert "lora" not in card.model["backbone"]
    assert {*weights} == {*started}
    expected = scores(images, trained)
    assert np.abs(scores(images, "joined.pth") - expected).max() > 1e-3
    np.testing.assert_allclose(scores(images, file), expected, rtol=0, atol=1e-5)
    del images.model.backbone.lora
    np.testing.assert_allclose(scores(images, trained), expected, rtol=0, atol=1e-5)
    image = np.random.default_rng(0).integers(0, 256, (90, 40, 3), np.uint8)
    ((one,), (other,)) = (PARInferencer(p)(image) for p in (trained, file))
    assert one.scores == other.scores


@needs_exporter
def test_a_joined_model_is_exported(configs):
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    images, cached = configs()
    cache_features(cached, quiet)
    train(cached)
    join_tower(images, cached.work_dir, "joined.pth", quiet)
    path = publish("joined.pth", "model.safetensors", say=quiet)
    export_onnx(path, "model.onnx")  # checks that it answers as torch does
    image = np.random.default_rng(0).integers(0, 256, (90, 40, 3), np.uint8)
    (one,), (other,) = (PARInferencer(p)(image) for p in (path, "model.onnx"))
    assert other.scores == pytest.approx(one.scores, abs=1e-4)
    with pytest.raises(ValueError, match="has no text side"):
        PARInferencer("model.onnx", texts=["rides a bicycle"])


def test_a_killed_caching_goes_on_where_it_was(configs, monkeypatch):
    _, cached = configs()
    cache_features(cached, quiet)
    whole = np.load("query/features.npy")
    shutil.rmtree("query")

    forward, calls = OpenCLIPTower.forward, []

    def killed_at_the_third_batch(self, images):
        calls.append(len(images))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return forward(self, images)

    monkeypatch.setattr(OpenCLIPTower, "forward", killed_at_the_third_batch)
    with pytest.raises(KeyboardInterrupt):
        cache_features(cached, quiet)
    with open("query/keys.bin", "ab") as file:
        file.write(b"torn")
    with pytest.raises(Exception, match="holds 8 of 20 images"):
        train(cached)
    said = []
    cache_features(cached, said.append)
    assert "8 of 20 images were cached before" in said[0]
    assert sum(calls) == 3 * 4 + 12  # no image twice, but for the killed batch
    assert np.array_equal(np.load("query/features.npy"), whole)


def test_features_of_other_weights_are_not_continued(configs):
    _, cached = configs()
    cache_features(cached, quiet)
    write_weights("tower.pth", seed=2)
    with pytest.raises(ValueError, match="another tower: weights_sha256"):
        cache_features(cached, quiet)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda tower: tower.backbone.init_cfg.update(checkpoint="o.pth"), "backbone"),
        (lambda tower: tower.pipeline[1].update(scale=(64, 32)), "preprocessing"),
        (lambda tower: tower.data_preprocessor.update(to_rgb=False), "preprocessing"),
    ],
)
def test_a_stale_cache_is_not_trained_on(configs, change, named):
    _, cached = configs()
    cache_features(cached, quiet)
    change(cached.train_dataloader.dataset.pipeline[0].tower)
    with pytest.raises(Exception, match=f"another tower: {named}"):
        train(cached)


def test_an_image_that_was_not_cached_is_named(configs):
    _, cached = configs()
    cache_features(cached, quiet)
    cached.train_dataloader.dataset.num_samples = 13
    cached.train_dataloader.batch_size = 13
    with pytest.raises(Exception, match=r"synthetic/0/\d+: KeyError: .*no features"):
        train(cached)


def test_a_file_that_changed_has_another_key(tmp_path):
    file = tmp_path / "a.jpg"
    file.write_bytes(b"one")
    sample = dict(img_path=str(file), gt_score=np.ones(2))
    before = feature_cache.sample_key(sample)
    assert feature_cache.sample_key(dict(sample, gt_score=np.zeros(2))) == before
    assert feature_cache.sample_key(dict(sample, bbox=np.ones(4))) != before
    file.write_bytes(b"another")
    assert feature_cache.sample_key(sample) != before


def test_a_head_is_joined_with_its_own_tower_only(configs):
    images, cached = configs()
    cache_features(cached, quiet)
    train(cached)
    write_weights("other.pth", seed=2)
    images.model.backbone.init_cfg.checkpoint = "other.pth"
    with pytest.raises(ValueError, match="features of another tower"):
        join_tower(images, cached.work_dir, "joined.pth", quiet)


def test_queries_begin_as_the_embeddings_of_prompts(configs):
    _, cached = configs()
    cache_features(cached, quiet)
    tower = OpenCLIPTower(CLIP, text=True)
    tower.load_state_dict(torch.load("tower.pth"))
    expected = tower.embed_texts(["a photo of a person wearing boots"])[0]
    with DefaultScope.overwrite_default_scope("mmpar"):
        head = MODELS.build(cached.model.head)
        head.init_weights()
    torch.testing.assert_close(head.queries[25], expected)


def test_random_features_are_not_cached(configs):
    _, cached = configs()
    cached.train_dataloader.dataset.pipeline[0].tower.backbone.init_cfg = None
    with pytest.raises(ValueError, match="random weights"):
        cache_features(cached, quiet)


def test_a_config_on_images_is_not_cached(configs):
    images, _ = configs()
    with pytest.raises(ValueError, match=r"trains on images.*DrawSyntheticPerson"):
        cache_features(images, quiet)


def test_a_joined_model_replaces_no_file_and_has_weights(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images, _ = write_pair()
    there = tmp_path / "there.pth"
    there.write_text("")
    with pytest.raises(FileExistsError, match=r"there\.pth exists"):
        join_tower(images, "head.pth", there)
    with pytest.raises(ValueError, match=r"a \.pth file"):
        join_tower(images, "head.pth", tmp_path / "joined.safetensors")
    images.model.backbone.init_cfg = None
    with pytest.raises(ValueError, match=r"model\.backbone\.init_cfg"):
        join_tower(images, "head.pth", tmp_path / "joined.pth")


def test_a_cache_that_is_named_too_late_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, cached = write_pair()
    cached.cache = "elsewhere"
    with pytest.raises(ValueError, match="cache=elsewhere was set after"):
        cache_features(cached)


def test_a_disk_without_room_for_the_cache_is_an_error(tmp_path, monkeypatch):
    usage = type("Usage", (), dict(free=10))
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    writer = FeatureCacheWriter(tmp_path / "cache", {}, [b"0" * 16])
    with pytest.raises(OSError, match="another disk"):
        writer.append(np.zeros((1, 100)))


def test_a_head_on_features_is_no_model_file_without_its_tower(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, cached = write_pair()
    pipeline = cached.test_dataloader.dataset.pipeline
    with pytest.raises(ValueError, match=r"join_tower\.py"):
        Preprocessing.from_config(pipeline, cached.model.data_preprocessor)
