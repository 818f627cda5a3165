"""Models by name, as the metafiles beside the configs list them."""

from __future__ import annotations

import copy
import difflib
import fnmatch
import functools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mmpar.registry  # checks the installation before MMEngine is imported

# isort: split
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner.checkpoint import CheckpointLoader
from modelindex.load_model_index import load as load_model_index

from mmpar.apis.model_files import load_exactly
from mmpar.registry import MODELS
from mmpar.utils.checkpoint_search import find_checkpoint_to_test

_ROOT = Path(mmpar.__file__).parent


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
    names = {*_models()}
    if pattern is not None:
        names &= {*fnmatch.filter(names, pattern + "*")}
    for excluded in exclude_patterns or ():
        names -= {*fnmatch.filter(names, excluded + "*")}
    if task is not None:
        names = {name for name in names if task in _tasks(_models()[name])}
    return sorted(names)


def get_model(
    model: str | Path | Config,
    pretrained: bool | str = False,
    device: Any = None,
    device_map: str | dict | None = None,
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
        The model in evaluation mode. A published model's decision rule is applied.

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


def config_path(name: str) -> Path:
    """The config file of a model, by its name.

    Raises:
        ValueError: No model is called so; names the nearest.
    """
    found = _models().get(name)
    if found is None:
        near = difflib.get_close_matches(name, _models(), n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise ValueError(f"no model is called {name!r}{hint}; list_models() gives all")
    return _home() / found.config


def _find(model: str | Path | Config) -> tuple[Config, Any]:
    if isinstance(model, Config):
        return copy.deepcopy(model), None
    if Path(model).suffix == ".py":
        return Config.fromfile(model), None
    return Config.fromfile(config_path(str(model))), _models()[str(model)]


def _weights_of(
    model: Any, config: Config, metainfo: Any, pretrained: bool | str
) -> str | None:
    if pretrained is not True:
        return pretrained or None
    found = metainfo.weights if metainfo is not None else config.get("load_from")
    if not found:
        what = model if isinstance(model, (str, Path)) else "this config"
        raise ValueError(
            f"no weights of {what} are published; give a checkpoint, a published model "
            "or a work dir: pretrained='PATH', or train it: tools/train.py"
        )
    return found


def _tasks(metainfo: Any) -> set[str]:
    return {result.task for result in metainfo.results or ()} or {"null"}


def _home() -> Path:
    """The folder of model-index.yml: ``mmpar/.mim`` if installed, or the repository.

    Raises:
        FileNotFoundError: Neither has it.
    """
    for folder in (_ROOT / ".mim", _ROOT.parent):
        if (folder / "model-index.yml").is_file():
            return folder
    raise FileNotFoundError(
        f"no model-index.yml in {_ROOT / '.mim'} or {_ROOT.parent}: this installation "
        "lacks mmpar's configs; install it anew, with pip install mmpar, or -e from a "
        "clone"
    )


@functools.cache
def _models() -> dict[str, Any]:
    """Name to what the metafiles say."""
    index = load_model_index(str(_home() / "model-index.yml"))
    index.build_models_with_collections()
    return {model.name: model for model in index.models}
