"""Checkpoints of the methods' official codes, as models in use in mmpar."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mmpar.registry  # noqa: F401  checks the installation before MMEngine is imported

# isort: split
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmpar.apis.model_files import load_model
from mmpar.datasets.formats.pickles import read_pickle
from mmpar.models.converters import (
    OfficialCode,
    convert_weights,
    find_code,
    find_weights,
)
from mmpar.structures import Preprocessing
from mmpar.utils.atomic import require_absent, write_atomically
from mmpar.utils.checkpoint_files import load_from_local, save_weights

ENDING = ".pth"
_PILLOW = dict(type="mmpar.Resize", backend="pillow", interpolation="bilinear")


def convert_checkpoint(
    config: Config,
    checkpoint: str | Path,
    out: str | Path,
    data: str | Path | None = None,
    key: str | None = None,
    say: Callable[[str], Any] = print,
) -> Path:
    """Convert a checkpoint of an official code into one of mmpar.

    It predicts the same, in float32, and everything takes it: ``load_model``,
    ``publish``, ``tools/predict.py``. Beside it goes the config that it needs, for
    ``tools/test.py``: that which is given, with the settings of the official code.

    Args:
        config: Of a model of the same method, backbone and dataset.
        checkpoint: As the official code saved it.
        out: The ``.pth`` file; the config is written to ``.py`` of the same name.
        data: The pickled dataset (``dataset_*.pkl``) that it was trained on, which
            names the logits. ALM's are in the order of the release and need none.
        key: The entry of the checkpoint, where several differ.
        say: Called with each line about what was done.

    Returns:
        ``out``.

    Raises:
        FileExistsError: One of the two files to write exists.
        FileNotFoundError: A file does not exist.
        ValueError: It is not of a code that is converted, its variant cannot be
            represented, it is of another model or dataset than the config, or the
            config's images have a size for which the code was not written.
    """
    out = Path(out)
    files = (out, out.with_suffix(".py"))
    if out.suffix != ENDING:
        raise ValueError(f"a converted checkpoint is a {ENDING} file, not {out}")
    for file in files:
        require_absent(file)
    loaded = load_from_local(str(checkpoint), map_location="cpu")
    weights = find_weights(loaded, str(checkpoint), key)
    code = find_code(weights)
    outputs = _read_outputs(code, data)
    try:
        with DefaultScope.overwrite_default_scope("mmpar"):
            model, changes, state_dict = convert_weights(
                code, weights, config.model.to_dict(), outputs
            )
    except ValueError as error:
        raise ValueError(f"{checkpoint}: {error}") from error
    config.model = model
    _prepare_images(code, config)
    stored = {
        k: v.float() if v.is_floating_point() else v for k, v in state_dict.items()
    }
    save_weights(stored, str(out), config.pretty_text)
    write_atomically(files[1], config.pretty_text.encode())
    load_model(out)
    for path, value in changes.items():
        say(f"set as in the official code: model.{path}={value}")
    say("images are resized by Pillow, as in the official code: Resize.backend=pillow")
    say(f"{out}, {files[1].name}: {code.title}, {len(state_dict)} tensors")
    return out


def _read_outputs(code: OfficialCode, data: str | Path | None) -> list[str] | None:
    """The attributes in the order of the logits, from the pickle that was trained on.

    The codes train on the columns ``label_idx[...]`` of ``label``, in an order of their
    own, not in that of ``attr_name``; on all columns where there is no ``label_idx``.
    """
    if (data is None) != (code.label is None):
        needed = (
            f"needs the dataset_*.pkl that it was trained on (--data): its label_idx."
            f"{code.label} names the logits"
            if code.label
            else "has its logits in the order of the release; leave --data out"
        )
        raise ValueError(f"a checkpoint of {code.title} {needed}")
    if data is None:
        return None
    content = read_pickle(str(data))
    try:
        names = [str(name) for name in content["attr_name"]]
        if "label_idx" not in content:
            return names
        return [names[column] for column in content["label_idx"][code.label]]
    except (IndexError, KeyError, TypeError) as error:
        labels = content.get("label_idx") if isinstance(content, dict) else None
        raise ValueError(
            f"{data} does not say which attribute each logit of {code.title} is of: "
            f"expected attr_name and, in label_idx, {code.label!r} with the columns in "
            f"the order of the logits; label_idx is {labels}"
        ) from error


def _prepare_images(code: OfficialCode, config: Config) -> None:
    """Have the config's images resized as those that the weights were trained on."""
    for name in ("train_dataloader", "val_dataloader", "test_dataloader"):
        dataset = (config.get(name) or {}).get("dataset") or {}
        for step in dataset.get("pipeline") or ():
            if str(step["type"]).rpartition(".")[2] == "Resize":
                step.update(_PILLOW)
    pipeline = config.test_dataloader.dataset.pipeline
    look = Preprocessing.from_config(pipeline, config.model.data_preprocessor)
    size = (look.width, look.height)
    if code.input_size not in (None, size):
        raise ValueError(
            f"{config.filename} resizes images to {size} (width, height), but the code "
            f"of {code.title} is written for {code.input_size} and computes something "
            "else for other sizes"
        )
