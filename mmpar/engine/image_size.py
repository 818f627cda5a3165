"""One input size for all that depends on it in a config."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmengine.config import Config, ConfigDict

_LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")


def set_image_size(cfg: Config, size: Any) -> None:
    """Resize, crop and build the backbone for another input size.

    A base config computes its pipelines from ``image_size`` when it is read, so that a
    later value alone would change nothing.

    Args:
        cfg: The config, changed in place.
        size: Width and height in pixels.

    Raises:
        ValueError: It is no such pair.
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
    wanted = tuple(cfg.image_size)
    for step in _steps(cfg):
        if _is(step, "Resize") and _pair(step.get("scale", wanted)) != wanted:
            raise ValueError(
                f"{cfg.filename}: image_size is {wanted}, but a pipeline resizes to "
                f"{_pair(step.scale)} (width, height). A base config has computed its "
                "pipelines before image_size was changed: leave it out of the config "
                f"and run with --cfg-options image_size=[{wanted[0]},{wanted[1]}], or "
                "set it to the size of the pipelines that you give yourself"
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
    """Whether it is of this type, written with the scope of a registry or without."""
    return str(step.type).rpartition(".")[2] == name


def _pair(scale: Any) -> tuple[int, int]:
    return (scale, scale) if isinstance(scale, int) else tuple(scale)
