"""Models by name, as the metafiles beside the configs list them."""

from __future__ import annotations

import copy
import fnmatch
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mmpar.registry  # noqa: F401  checks the installation before MMEngine is imported

# isort: split
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner.checkpoint import CheckpointLoader

from mmpar.apis.model_files import load_exactly
from mmpar.registry import MODELS
from mmpar.utils.checkpoint_search import find_checkpoint_to_test
from mmpar.utils.shipped import find_config, model_index


def list_models(
    pattern: str | None = None,
    exclude_patterns: Sequence[str] | None = None,
    task: str | None = None,
) -> list[str]:
    """Names of the models with a config, with mmpretrain's signature.

    >>> list_models("sspnet_r50", exclude_patterns=["*_trainval-test"])[:2]
    ['sspnet_r50_market1501', 'sspnet_r50_pa100k']

    Args:
        pattern: Wildcards (``*``, ``?``) for the beginning of names.
        exclude_patterns: Those whose beginning fits one of these are left out.
        task: Only those with results of this task; ``"null"`` for those without any.

    Returns:
        Sorted.
    """
    names = {*model_index()}
    if pattern is not None:
        names &= {*fnmatch.filter(names, pattern + "*")}
    for excluded in exclude_patterns or ():
        names -= {*fnmatch.filter(names, excluded + "*")}
    if task is not None:
        names = {name for name in names if task in _tasks(model_index()[name])}
    return sorted(names)


def get_model(
    model: str | Path | Config,
    pretrained: bool | str = False,
    device: Any = None,
    device_map: str | dict[str, Any] | None = None,
    offload_folder: str | None = None,
    url_mapping: tuple[str, str] | None = None,
    **kwargs: Any,
) -> Any:
    """A model by its name, with mmpretrain's signature.

    Args:
        model: One of :func:`list_models`, the path of a config (``.py``), or a config.
        pretrained: Weights to load: True for those that the metafile names, or
            ``load_from`` of a config; or the path or address of a checkpoint or
            published model, or a work dir. All weights must fit.
        device: Where the model goes.
        device_map: Where its parts go; needs ``accelerate``, see mmpretrain.
        offload_folder: For parts whose device is ``"disk"``.
        url_mapping: Pattern and replacement for the weights' address.
        **kwargs: Fields of the model's config that differ.

    Returns:
        The model in evaluation mode, with the decision rule of a published one; its
        ``_config``, ``_dataset_meta`` and, from its name, ``_metainfo`` are those of
        mmpretrain's.

    Raises:
        ValueError: No model of this name, no published weights, or they do not fit.
    """
    config, metainfo = _find(model)
    source = _weights_of(model, config, metainfo, pretrained)
    if kwargs:
        config.merge_from_dict({"model": kwargs})
    config.model.setdefault("data_preprocessor", config.get("data_preprocessor"))
    with DefaultScope.overwrite_default_scope("mmpar"):
        built = MODELS.build(config.model)
    if source is not None:
        if url_mapping is not None:
            source = re.sub(url_mapping[0], url_mapping[1], source)
        if Path(source).is_dir():
            source = find_checkpoint_to_test(config, source, print)
        checkpoint = CheckpointLoader.load_checkpoint(source, map_location="cpu")
        load_exactly(built, checkpoint, source)
    if device_map is not None:
        from mmpretrain.apis.utils import dispatch_model

        built = dispatch_model(
            built, device_map=device_map, offload_folder=offload_folder
        )
    elif device is not None:
        built.to(device)
    schema = built.head.schema
    built._dataset_meta = dict(classes=list(schema.names), schema=schema.to_dict())
    built._config, built._metainfo = config, metainfo
    return built.eval()


def _find(model: str | Path | Config) -> tuple[Config, dict[str, Any] | None]:
    """The config, and what the metafile says of a model that is given by its name."""
    if isinstance(model, Config):
        return copy.deepcopy(model), None
    name = str(model)
    return Config.fromfile(find_config(name)), model_index().get(name)


def _weights_of(
    model: Any,
    config: Config,
    metainfo: dict[str, Any] | None,
    pretrained: bool | str,
) -> str | None:
    if pretrained is not True:
        return pretrained or None
    named: str | None = (
        config.get("load_from") if metainfo is None else metainfo.get("Weights")
    )
    if not named:
        what = model if isinstance(model, (str, Path)) else "this config"
        raise ValueError(
            f"no weights of {what} are published; give a checkpoint, a published model "
            "or a work dir: pretrained='PATH', or train it: tools/train.py"
        )
    return named


def _tasks(metainfo: dict[str, Any]) -> set[str]:
    return {result["Task"] for result in metainfo.get("Results") or ()} or {"null"}
