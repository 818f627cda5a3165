"""From an image file to the input of a model, as data: size, filter, colours."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from mmpar.structures.plain_data import require_fields, require_type

RESIZES: Mapping[str, tuple[str, ...]] = {
    "antialias": ("bilinear",),
    "pillow": ("nearest", "bilinear", "bicubic", "box", "lanczos", "hamming"),
    "cv2": ("nearest", "bilinear", "bicubic", "area", "lanczos"),
}
"""Backends of ``Resize`` and the interpolations that each has."""

MAX_SIDE = 4096
"""Pixels; a model file with more is broken, or meant to fill the memory."""

_LOADERS = ("LoadPersonImage", "LoadImageFromFile", "DrawSyntheticPerson")
_PACKERS = ("PackPARInputs", "PackInputs")
_USE_EXIF = {"color": True, "color_ignore_orientation": False}
_OPENMMLAB = ("", "mmpar", "mmpretrain", "mmcv")


@dataclass(frozen=True)
class Preprocessing:
    """How an image becomes the input of a model.

    Decode to three channels of uint8, turn upright by EXIF if ``use_exif``, resize to
    ``width`` x ``height`` without keeping the ratio, bring the channels into the order
    that the model gets, subtract ``mean`` and divide by ``std``.

    Args:
        width: Of the input, in pixels, 1 to ``MAX_SIDE``.
        height: Of the input, in pixels.
        resize: Backend of :class:`mmpar.datasets.transforms.Resize`.
        interpolation: One that the backend has, see ``RESIZES``.
        mean: Of the three channels, in the order that the model gets, on the scale of
            0 to 255.
        std: Likewise; above 0.
        to_rgb: Whether the model gets RGB; files are decoded to BGR, as in OpenMMLab.
        use_exif: Whether the EXIF orientation is obeyed.

    Raises:
        ValueError: A field is of another type or out of its range; names it.
    """

    width: int
    height: int
    resize: str
    interpolation: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    to_rgb: bool
    use_exif: bool

    def __post_init__(self) -> None:
        for name in ("width", "height"):
            require_type(getattr(self, name), int, f"preprocessing.{name}")
            if not 1 <= getattr(self, name) <= MAX_SIDE:
                raise ValueError(
                    f"preprocessing.{name} is {getattr(self, name)}, expected 1 to "
                    f"{MAX_SIDE} pixels"
                )
        _require_choice("resize", self.resize, RESIZES)
        _require_choice("interpolation", self.interpolation, RESIZES[self.resize])
        for name in ("mean", "std"):
            object.__setattr__(self, name, _three_numbers(name, getattr(self, name)))
        if min(self.std) <= 0:
            raise ValueError(f"preprocessing.std is {self.std}, expected all above 0")
        for name in ("to_rgb", "use_exif"):
            require_type(getattr(self, name), bool, f"preprocessing.{name}")

    @classmethod
    def from_config(
        cls,
        pipeline: Sequence[Mapping[str, Any]],
        data_preprocessor: Mapping[str, Any] | None = None,
    ) -> Preprocessing:
        """Read it from a config's test pipeline and data preprocessor.

        >>> size = (192, 256)
        >>> Preprocessing.from_config(
        ...     [
        ...         dict(type="LoadPersonImage"),
        ...         dict(type="Resize", scale=size),
        ...         dict(type="PackPARInputs"),
        ...     ],
        ...     dict(mean=[127.5] * 3, std=[255] * 3, to_rgb=True),
        ... ).width
        192

        Args:
            pipeline: Configs of three steps: one that loads an image, ``Resize``, and
                one that packs the inputs.
            data_preprocessor: Config of a ``ClsDataPreprocessor``, or None for its
                defaults, which leave the values as they are.

        Raises:
            ValueError: There is another step, or a setting that these fields do not
                hold; names it.
        """
        steps = [(_name_of(step), dict(step)) for step in pipeline]
        _require_three_steps([name for name, _ in steps])
        (_, loader), (_, resize), _ = steps
        return cls(
            **_read_loader(loader),
            **_read_resize(resize),
            **_read_normalization(dict(data_preprocessor or {})),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain containers only, fit for JSON."""
        data = asdict(self)
        return {**data, "mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_dict(cls, data: Any) -> Preprocessing:
        """The inverse of :meth:`to_dict`.

        Raises:
            ValueError: A field is missing, unknown, of another type or out of range.
        """
        names = [field.name for field in fields(cls)]
        return cls(**require_fields(data, names, "preprocessing"))


def _require_choice(field: str, value: Any, choices: Any) -> None:
    if not isinstance(value, str) or value not in choices:
        raise ValueError(
            f"preprocessing.{field} is {value!r}, expected one of {list(choices)}"
        )


def _three_numbers(field: str, values: Any) -> tuple[float, ...]:
    is_list = isinstance(values, Sequence) and not isinstance(values, str)
    numbers = list(values) if is_list else []
    valid = [type(n) in (int, float) and abs(n) <= sys.float_info.max for n in numbers]
    if len(numbers) != 3 or not all(valid):
        raise ValueError(
            f"preprocessing.{field} is {values!r}, expected three finite numbers"
        )
    return tuple(float(number) for number in numbers)


def _name_of(step: Mapping[str, Any]) -> str:
    """The type of a step without the scope of its registry, if that is OpenMMLab's."""
    scope, _, name = str(step.get("type")).rpartition(".")
    return name if scope in _OPENMMLAB else str(step.get("type"))


def _require_three_steps(names: list[str]) -> None:
    expected = (_LOADERS, ("Resize",), _PACKERS)
    fits = [name in allowed for name, allowed in zip(names, expected)]
    if len(names) == len(expected) and all(fits):
        return
    if "LoadFeatures" in names:
        raise ValueError(
            "the model is a head that reads cached features, not images; join it with "
            "its tower first: tools/model_converters/join_tower.py"
        )
    known = {name for allowed in expected for name in allowed}
    others = [name for name in names if name not in known]
    raise ValueError(
        f"the test pipeline {names} cannot be described by a model file"
        + (f", because of {others}" if others else "")
        + f"; it holds one of {list(_LOADERS)}, Resize, and one of {list(_PACKERS)}, "
        "in this order"
    )


def _read_loader(step: dict[str, Any]) -> dict[str, Any]:
    # Where images come from, how a drawn one is kept, and which decoder reads them is
    # of the machine, not of the model.
    _refuse_others(
        step, "type", "color_type", "imdecode_backend", "backend_args", "keep"
    )
    color_type = step.get("color_type", "color")
    if color_type not in _USE_EXIF:
        raise ValueError(
            f"{step['type']}.color_type of the test pipeline is {color_type!r}; a "
            f"model file holds one of {list(_USE_EXIF)}"
        )
    return dict(use_exif=_USE_EXIF[color_type])


def _read_resize(step: dict[str, Any]) -> dict[str, Any]:
    _refuse_others(
        step, "type", "scale", "keep_ratio", "backend", "interpolation",
        "clip_object_border",
    )  # fmt: skip
    scale = step.get("scale")
    pair = [scale, scale] if isinstance(scale, int) else scale
    if step.get("keep_ratio", False) or not isinstance(pair, (list, tuple)):
        raise ValueError(
            f"Resize of the test pipeline has scale={scale!r} and keep_ratio="
            f"{step.get('keep_ratio', False)}; a model file holds (width, height), "
            "keep_ratio=False"
        )
    if len(pair) != 2:
        raise ValueError(f"Resize.scale of the test pipeline is {scale!r}, not a pair")
    ours = str(step["type"]) in ("Resize", "mmpar.Resize")
    return dict(
        width=pair[0],
        height=pair[1],
        resize=step.get("backend", "antialias" if ours else "cv2"),
        interpolation=step.get("interpolation", "bilinear"),
    )


def _read_normalization(cfg: dict[str, Any]) -> dict[str, Any]:
    name = _name_of(
        dict(type="ClsDataPreprocessor", **cfg) if "type" not in cfg else cfg
    )
    if name != "ClsDataPreprocessor":
        raise ValueError(
            f"model.data_preprocessor is a {cfg['type']}; a model file holds the mean, "
            "std and to_rgb of mmpretrain.ClsDataPreprocessor"
        )
    # Augmentation of batches, and labels, are of the training.
    _refuse_others(
        cfg, "type", "mean", "std", "to_rgb", "batch_augments", "to_onehot",
        "num_classes", "non_blocking",
    )  # fmt: skip
    return dict(
        mean=(0, 0, 0) if cfg.get("mean") is None else cfg["mean"],
        std=(1, 1, 1) if cfg.get("std") is None else cfg["std"],
        to_rgb=cfg.get("to_rgb", False),
    )


def _refuse_others(cfg: dict[str, Any], *known: str) -> None:
    others = {key: value for key, value in cfg.items() if key not in known}
    if others:
        raise ValueError(
            f"{cfg.get('type')} has {others}, which a model file does not hold; it "
            f"holds what {', '.join(known[1:])} say"
        )
