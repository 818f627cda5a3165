"""Heads on cached features of a frozen tower: to cache these, and to join the two."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mmpar.registry  # noqa: F401  checks the installation before MMEngine is imported

# isort: split
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import ConcatDataset, pseudo_collate
from mmengine.device import get_device
from mmengine.registry import DefaultScope
from rich.console import Console
from rich.progress import track
from torch import Tensor
from torch.utils.data import DataLoader, Subset

from mmpar.apis.predictor import WORKERS
from mmpar.datasets.transforms.features import tower_fingerprint
from mmpar.models import OpenCLIPTower
from mmpar.models.backbones.open_clip_tower import features_sha256
from mmpar.models.weights import load_weights, weights_of
from mmpar.registry import DATASETS, MODELS
from mmpar.structures import build_schema
from mmpar.structures.attribute_prompts import attribute_prompts
from mmpar.utils.atomic import atomic_path, require_absent
from mmpar.utils.checkpoint_files import load_from_local
from mmpar.utils.checkpoint_search import find_checkpoint_to_test
from mmpar.utils.feature_cache import FeatureCacheWriter, sample_key
from mmpar.utils.model_file import hash_weights

Say = Callable[[str], Any]
_LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")


def cache_features(cfg: Config, say: Say = print) -> None:
    """Write the features that a config trains on.

    Killed and called again, it goes on where it was. Images of several splits are
    written once. Beside the features, a tower with a text side has the embeddings of
    the attributes' prompts written to ``texts.npz``.

    Args:
        cfg: A config whose pipelines begin with ``LoadFeatures``.
        say: Called with each line about what is done.

    Raises:
        ValueError: The config does not load features, its tower has no weights, or the
            folder holds the features of another tower or of other images.
    """
    load = _load_step(cfg)
    if cfg.get("cache", load.cache) != load.cache:
        raise ValueError(
            f"cache={cfg.cache} was set after the config had used it: its pipelines "
            f"name {load.cache}. Set it in a copy of the config, or link the folder"
        )
    with DefaultScope.overwrite_default_scope("mmpar"):
        tower = _build_tower(load.tower.backbone)
        preprocessor = MODELS.build(load.tower.data_preprocessor)
        images = _images(cfg, load.tower.pipeline)
    device = get_device()
    tower, preprocessor = tower.to(device), preprocessor.to(device)
    found = {sample_key(part.get_data_info(i)): row for row, (part, i) in images.rows()}
    fingerprint = dict(
        tower_fingerprint(**load.tower),
        weights_sha256=hash_weights(tower.visual.state_dict()),
    )
    writer = FeatureCacheWriter(load.cache, fingerprint, list(found))
    say(f"{load.cache}: {writer.num_done} of {len(found)} images were cached before")
    if tower.text is not None:
        _write_texts(tower, cfg, Path(load.cache, "texts.npz"))
    rows = list(found.values())[writer.num_done :]
    loader: DataLoader[Any] = DataLoader(
        Subset(images, rows),
        cfg.test_dataloader.batch_size,
        num_workers=WORKERS,
        collate_fn=pseudo_collate,
    )
    batches = track(loader, "batches", console=Console(stderr=True), transient=True)
    with torch.inference_mode():
        for batch in batches:
            features = tower(preprocessor(batch)["inputs"])[0]
            writer.append(features.cpu().numpy())
    say(f"{load.cache}: {writer.num_done} images are cached")


class _Images(ConcatDataset):
    """The images of all splits, with their place in the split."""

    def rows(self) -> Any:
        """Row and (dataset, row there) of each."""
        places = ((part, i) for part in self.datasets for i in range(len(part)))
        return enumerate(places)


def _load_step(cfg: Config) -> Any:
    """The config of ``LoadFeatures``."""
    dataset: Any = (cfg.get("train_dataloader") or {}).get("dataset") or {}
    steps = dataset.get("pipeline") or [{}]
    if steps[0].get("type") != "LoadFeatures":
        raise ValueError(
            f"{cfg.filename} trains on images: its pipeline begins with "
            f"{steps[0].get('type')}, not with LoadFeatures; the configs of "
            "configs/towers that train on features are called *_cached.py"
        )
    return steps[0]


def _build_tower(backbone: Any) -> OpenCLIPTower:
    _require_weights(backbone, "tower.backbone")
    tower: OpenCLIPTower = MODELS.build(backbone)
    tower.init_weights()
    tower.eval()
    return tower


def _require_weights(backbone: Any, field: str) -> None:
    if not backbone.get("init_cfg"):
        raise ValueError(
            "the tower has no init_cfg, so its features would be of random weights; "
            f"set {field}.init_cfg=dict(type='Pretrained', checkpoint=...)"
        )


def _images(cfg: Config, pipeline: Any) -> _Images:
    parts = []
    for loader in filter(None, (cfg.get(name) for name in _LOADERS)):
        dataset = copy.deepcopy(loader.dataset)
        parts.append(DATASETS.build({**dataset, "pipeline": copy.deepcopy(pipeline)}))
    return _Images(parts)


def _write_texts(tower: OpenCLIPTower, cfg: Config, path: Path) -> None:
    schema = build_schema(cfg.model.head.schema)
    prompts = attribute_prompts(schema)
    embeddings = tower.embed_texts(prompts).cpu().numpy()
    with atomic_path(path) as part, part.open("wb") as file:
        np.savez(file, names=schema.names, prompts=prompts, embeddings=embeddings)


def join_tower(
    cfg: Config, checkpoint: str | Path, out: str | Path, say: Say = print
) -> None:
    """Write one checkpoint of a tower and the head that was trained on its features.

    Args:
        cfg: Config of the whole model, on images.
        checkpoint: What was trained on features, or its work dir, for the best in it.
        out: The file to write, a checkpoint of ``cfg``.
        say: Called with what was done.

    Raises:
        FileExistsError: There is such a file.
        ValueError: The features were of another tower, of otherwise prepared images, or
            the checkpoint is not of a head on features, or ``out`` not a .pth file.
        SchemaMismatchError: The head is of another schema.
    """
    _require_new_checkpoint(Path(out))
    _require_weights(cfg.model.backbone, "model.backbone")
    source = str(checkpoint)
    if os.path.isdir(source):
        source = find_checkpoint_to_test(cfg, source, say)
    found = load_from_local(source, map_location="cpu")
    weights = weights_of(found, source)
    trained_on = weights.pop("backbone.features_sha256", None)
    if trained_on is None:
        raise ValueError(
            f"{source} was not trained on cached features; test it as it is"
        )
    with DefaultScope.overwrite_default_scope("mmpar"):
        model = MODELS.build(cfg.model)
        model.backbone.init_weights()
    _require_trained_on(model.backbone, cfg, trained_on, source)
    fit = load_weights(model, weights)
    foreign = [name for name in fit.missing if not name.startswith("backbone.")]
    if foreign or fit.misshapen or fit.unexpected:
        raise ValueError(f"{source} is not a head of {cfg.filename}: {fit}")
    name = Path(cfg.filename).stem
    meta = {**found["meta"], "cfg": cfg.pretty_text, "experiment_name": name}
    with atomic_path(out) as part:
        torch.save(dict(state_dict=model.state_dict(), meta=meta), part)
    say(f"{out}: {name} with the head of {source}")


def _require_new_checkpoint(out: Path) -> None:
    if out.suffix != ".pth":
        raise ValueError(f"a checkpoint is a .pth file, got {out}")
    require_absent(out)


def _require_trained_on(
    tower: OpenCLIPTower, cfg: Config, trained_on: Tensor, source: str
) -> None:
    fingerprint = tower_fingerprint(
        cfg.model.backbone,
        cfg.model.data_preprocessor,
        cfg.test_dataloader.dataset.pipeline,
    )
    sha256 = hash_weights(tower.visual.state_dict())
    joined = features_sha256(dict(fingerprint, weights_sha256=sha256))
    if bytes(trained_on.tolist()) != joined:
        raise ValueError(
            f"{source} was trained on features of another tower than that of "
            f"{cfg.filename}, of other weights of it, or of images prepared otherwise; "
            "use the config that its own inherits"
        )
