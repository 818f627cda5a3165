"""From the arguments of a tool to the config of its Runner, checked on the way."""

from __future__ import annotations

import argparse
import difflib
import hashlib
import inspect
import logging
import os
import os.path as osp
from collections.abc import Iterator
from typing import Any

import mmpar.registry  # noqa: F401  checks the installation before MMEngine is imported

# isort: split
from mmengine.config import Config, ConfigDict
from mmengine.logging import print_log
from mmengine.runner import Runner

from mmpar.registry import EXPLAINERS
from mmpar.utils.checkpoint_search import find_checkpoint_to_test
from mmpar.utils.configured_hooks import configured_hooks
from mmpar.utils.protocol import check_protocol
from mmpar.utils.shipped import find_config

READ_BY_RUNNER = {
    *inspect.signature(Runner.__init__).parameters,
    # It takes these from the config itself.
    "activation_checkpointing",
    "channels_last",
    "compile",
    "efficient_conv_bn_eval",
    "find_unused_parameters",
    "model_wrapper_cfg",
    "strategy",  # makes it a FlexibleRunner
    "sync_bn",
}
"""Top-level fields that the Runner takes from a config."""

_ALIKE = 0.8  # no variable of the shipped configs is this similar to a field
_POSITIVE = ("max_epochs", "max_iters", "val_interval")
_LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")


# --- configs of the tools -----------------------------------------------------------


def read_config(args: argparse.Namespace) -> Config:
    """Read the config that ``args`` name and merge the config options into it.

    Args:
        args: Those of :func:`mmpar.utils.cli.config_arguments`.

    Raises:
        FileNotFoundError: A base is missing.
        ValueError: No config is called so, an option's key is unknown, or the input
            sizes disagree.
    """
    path = find_config(args.config)
    try:
        cfg = Config.fromfile(path)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"the config {path} inherits a file that does not exist: {error}"
            f"{_replacement(str(error))}"
        ) from error
    options = args.cfg_options or {}
    merge_options(cfg, options)
    if "image_size" in options:
        set_image_size(cfg, options["image_size"])
    require_one_image_size(cfg)
    return cfg


_FORMER_BASES = {
    "schedules/ema.py": "inherit _base_/runtime_ema.py in place of default_runtime.py",
    "schedules/learned_scales.py": "take over what configs/sspnet/"
    "sspnet-learned_r18_synthetic.py adds to its base",
    "pipelines/flip_256x128.py": "inherit _base_/datasets/pa100k_256x128.py, "
    "peta_256x128.py or rapv1_256x128.py",
    "models/body_keypoints.py": "inherit _base_/models/sspnet_r50.py, which has them",
    "alm_swin-s.py": "inherit an alm_r50 config and _base_/backbones/swin-s.py, as "
    "configs/alm/alm_swin-s_pa100k.py does",
}


def _replacement(missing: str) -> str:
    """What to write instead of a base that mmpar once had."""
    written = missing.replace("\\", "/")
    hints = [hint for base, hint in _FORMER_BASES.items() if base in written]
    return f". It was an older mmpar's: {hints[0]}" if hints else ""


def read_runner_config(args: argparse.Namespace) -> Config:
    """Read the config that ``args`` name and merge the shared arguments into it.

    Args:
        args: Those of :func:`mmpar.utils.cli.runner_arguments`.
    """
    os.environ.setdefault("LOCAL_RANK", str(args.local_rank))
    cfg = read_config(args)
    cfg.launcher = args.launcher
    for name in _LOADERS:
        loader = cfg.get(name)
        if loader and not loader.get("num_workers"):
            loader.persistent_workers = False  # torch refuses workers that are not
    if args.work_dir:
        cfg.work_dir = args.work_dir
    elif not cfg.get("work_dir"):
        cfg.work_dir = osp.join("work_dirs", osp.splitext(osp.basename(args.config))[0])
    return cfg


def read_test_config(args: argparse.Namespace, folder: str) -> Config:
    """The config of a tool that tests ``args.checkpoint``.

    It writes to a folder of its own in the work dir: the Runner writes its config under
    the name of the training's.
    """
    cfg = read_runner_config(args)
    cfg.work_dir = osp.join(cfg.work_dir, folder)
    cfg.pop("strategy", None)  # of the training; its checkpoints are whole
    use_checkpoint(cfg, args.checkpoint)
    return cfg


def read_explainer_config(
    args: argparse.Namespace, folder: str, evaluator: dict, **loop: Any
) -> Config:
    """The config of a test that also explains: ``ExplainLoop`` and one metric.

    Args:
        args: Those of :func:`mmpar.utils.cli.explainer_arguments`. Settings of the
            explainer are config options: ``test_cfg.explainer.level=0``.
        folder: The tool's, in the work dir.
        evaluator: Config of the metric.
        **loop: Further fields of the loop.

    Raises:
        ValueError: No explainer of this name is registered, or the config has another.
    """
    cfg = read_test_config(args, folder)
    test_cfg = cfg.get("test_cfg") or {}
    explainer = dict(test_cfg.get("explainer") or {})
    named = explainer.setdefault("type", args.explainer or "GradCAM")
    if args.explainer not in (None, named):
        raise ValueError(
            f"test_cfg.explainer of {args.config} is {named}, but --explainer is "
            f"{args.explainer}; leave --explainer out, or replace the config's: "
            f'--cfg-options test_cfg.explainer="dict(type={args.explainer!r})"'
        )
    if EXPLAINERS.get(named) is None:
        known = sorted(EXPLAINERS.module_dict)
        raise ValueError(
            f"no explainer is called {named!r}; registered are {', '.join(known)}"
            f"{_did_you_mean(named, known)}"
        )
    cfg.test_cfg = {**test_cfg, **loop, "type": "ExplainLoop", "explainer": explainer}
    cfg.test_evaluator = evaluator
    return cfg


def judge_by_body_zones(cfg: Config) -> None:
    """Have a test take the body zone of each attribute for its true box.

    Raises:
        ValueError: The config has no test pipeline, or no schema.
    """
    dataset = _test_dataset(cfg, "body zones are loaded by a step of it")
    schema = cfg.model.head.get("schema")
    if schema is None:
        raise ValueError(
            f"{cfg.filename} has no model.head.schema, which says where the body zones "
            "of its attributes are"
        )
    loading, *steps = dataset.pipeline
    zones = dict(type="LoadBodyZones", schema=schema)
    dataset.pipeline = [loading, zones, *steps]


def use_checkpoint(cfg: Config, checkpoint: str) -> None:
    """Have a test load this file, or the best of this work dir, and refuse misfits.

    The best is the last where there is no validation split to choose on.
    """
    cfg.load_from = checkpoint
    if osp.isdir(checkpoint):
        cfg.load_from = find_checkpoint_to_test(cfg, checkpoint, _warn)
    cfg.resume = False
    strict = dict(loaded_weights=dict(type="mmpar.LoadedWeightsHook", strict=True))
    cfg.default_hooks = {**(cfg.get("default_hooks") or {}), **strict}
    # The checkpoint brings every weight; do not fetch the pre-trained ones first.
    if "backbone" in cfg.model:
        cfg.model.backbone.init_cfg = None


def add_dump_metric(evaluator: dict | list[dict], out_file: str) -> list[dict]:
    """The config of an evaluator that first writes its predictions to a file."""
    evaluators = evaluator if isinstance(evaluator, list) else [evaluator]
    return [dict(type="DumpPredictions", out_file=out_file), *evaluators]


def use_other_test_data(cfg: Config, config: str) -> None:
    """Have a test judge the model by another dataset's attributes.

    Images are loaded as that dataset's config says and then prepared as the model's.

    Args:
        cfg: The model's config, changed in place.
        config: File, or name of a model, whose test data is taken.

    Raises:
        ValueError: One of the two has no test dataset with a pipeline.
    """
    need = (
        "a test across datasets takes the dataset and its first step, which loads "
        "images, from one config and the other steps from the other"
    )
    own = _test_dataset(cfg, need)
    other = _test_dataset(Config.fromfile(find_config(config)), need)
    pipeline = [other.pipeline[0], *own.pipeline[1:]]
    cfg.test_dataloader.dataset = {**other, "pipeline": pipeline}
    cfg.test_cfg = {**(cfg.get("test_cfg") or {}), "type": "CrossDatasetLoop"}
    cfg.protocol = None  # it was said of the model's own test data


def _test_dataset(cfg: Config, need: str) -> Any:
    """Config of the dataset that is tested on, which has a pipeline.

    Args:
        cfg: Of a model.
        need: Why it is needed, for the error.

    Raises:
        ValueError: There is none.
    """
    dataset = (cfg.get("test_dataloader") or {}).get("dataset") or {}
    if not dataset.get("pipeline"):
        raise ValueError(
            f"{cfg.filename} has no test_dataloader.dataset.pipeline: {need}"
        )
    return dataset


def hash_config(cfg: Config) -> str:
    """16 hexadecimal digits that change with any field but where and how it is run."""
    fields = {**cfg.to_dict(), "work_dir": None, "launcher": None}
    return hashlib.sha256(repr(_sort_keys(fields)).encode()).hexdigest()[:16]


def _sort_keys(value: Any) -> Any:
    """The same with every dict sorted, as MMEngine writes a config."""
    if isinstance(value, dict):
        return {key: _sort_keys(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, (list, tuple)):
        return type(value)(_sort_keys(item) for item in value)
    return value


def _warn(message: str) -> None:
    print_log(message, "current", logging.WARNING)


# --- config options and mistyped fields ---------------------------------------------


def merge_options(cfg: Config, options: dict[str, Any]) -> None:
    """Merge ``--cfg-options`` into a config.

    Raises:
        ValueError: A key begins with a name that neither the config nor the Runner
            knows. MMEngine would add it, and nothing would read it.
    """
    known = {*cfg.keys(), *READ_BY_RUNNER}
    for key, value in options.items():
        first = key.split(".")[0]
        if first not in known:
            raise ValueError(
                f"--cfg-options {key}=...: {cfg.filename} has no {first!r}"
                f"{_did_you_mean(first, known)}"
            )
        if isinstance(value, dict):  # replaces what is there, None or not
            cfg.merge_from_dict({key: None})
            value = {**value, "_delete_": True}
        cfg.merge_from_dict({key: value})


def check_config(cfg: Config) -> None:
    """Look for mistyped or former fields, trainings of no length, another protocol.

    A config may have variables of its own, so only names that look like a field of the
    Runner are considered mistyped.

    Raises:
        ValueError: There is one; names the nearest field, what is written now, or the
            smallest value; or see :func:`check_protocol`.
    """
    check_protocol(cfg)
    last = cfg.get("channels_last")
    if last is not None and not isinstance(last, bool):
        raise ValueError(f"channels_last must be True or False, found {last!r}")
    if configured_hooks(cfg, "ChannelsLastHook"):
        raise ValueError(
            f"{cfg.filename or 'the config'} has a ChannelsLastHook, which no longer "
            "exists: remove it and set channels_last = True"
        )
    for name in cfg.keys() - READ_BY_RUNNER:
        near = difflib.get_close_matches(name, READ_BY_RUNNER, n=1, cutoff=_ALIKE)
        if near:
            raise ValueError(
                f"{cfg.filename} sets {name!r}, which nothing reads; did you mean "
                f"{near[0]!r}? A variable of your own needs a name less similar to it"
            )
    train_cfg = cfg.get("train_cfg") or {}
    for field in _POSITIVE:
        value = train_cfg.get(field)
        if value is not None and value < 1:
            raise ValueError(
                f"train_cfg.{field} is {value} in {cfg.filename}; it must be at least 1"
                + (
                    " (to train without validation, set val_dataloader, val_cfg and "
                    "val_evaluator to None, and protocol='fixed-schedule')"
                    if field == "val_interval"
                    else ""
                )
            )
    if "max_epochs" in train_cfg and not {"by_epoch", "type"} & train_cfg.keys():
        raise ValueError(
            f"train_cfg of {cfg.filename} has max_epochs, but MMEngine counts "
            "iterations unless it is told: add train_cfg.by_epoch=True"
        )


def _did_you_mean(name: str, known: Any) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


# --- one input size -----------------------------------------------------------------


def set_image_size(cfg: Config, size: Any) -> None:
    """Resize, crop and build the backbone for another input size.

    A base config computes its pipelines from ``image_size`` when it is read, so that
    setting the field later would change nothing.

    Args:
        cfg: The config, changed in place.
        size: Width and height in pixels.

    Raises:
        ValueError: It is not such a pair.
    """
    pair = list(size) if isinstance(size, (list, tuple)) else []
    if len(pair) != 2 or not all(isinstance(n, int) and n > 0 for n in pair):
        raise ValueError(f"image_size is (width, height) in pixels, got {size!r}")
    width, height = pair
    cfg.image_size = (width, height)
    for step in _steps(cfg):
        if _is(step, "Resize") and "scale" in step:
            step.scale = (width, height)
        elif _is(step, "RandomCrop") and "crop_size" in step:
            step.crop_size = (height, width)
    backbone = cfg.get("model", {}).get("backbone", {})
    if "img_size" in backbone:
        backbone.img_size = (height, width)


def require_one_image_size(cfg: Config) -> None:
    """Refuse a config whose ``image_size`` is not what its images are resized to.

    Raises:
        ValueError: A pipeline resizes to another size.
    """
    if cfg.get("image_size") is None:
        return
    expected = tuple(cfg.image_size)
    for step in _steps(cfg):
        if _is(step, "Resize") and _pair(step.get("scale", expected)) != expected:
            raise ValueError(
                f"{cfg.filename}: image_size is {expected}, but a pipeline resizes to "
                f"{_pair(step.scale)} (width, height). A base config computed its "
                "pipelines before image_size was changed: leave it out of the config "
                f"and run with --cfg-options image_size=[{expected[0]},{expected[1]}], "
                "or set it to the size of the pipelines that you give yourself"
            )


def _steps(cfg: Config) -> Iterator[ConfigDict]:
    """Every dict of the loaders with a type: transforms, wherever they are wrapped."""
    pending: list[Any] = [cfg.get(name) for name in _LOADERS]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            if "type" in value:
                yield value
            pending += value.values()
        elif isinstance(value, (list, tuple)):
            pending += value


def _is(step: ConfigDict, name: str) -> bool:
    """Whether it is of this type, with or without the scope of a registry."""
    return str(step.type).rpartition(".")[2] == name


def _pair(scale: Any) -> tuple[int, int]:
    return (scale, scale) if isinstance(scale, int) else tuple(scale)
