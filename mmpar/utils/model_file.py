"""The one file of a published model: safetensors with the model's card in its header.

Nothing in such a file can run, and a changed byte anywhere is noticed: the card has a
digest, holds that of the weights, and the header has one form only.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmpar.structures.model_card import ModelCard
from mmpar.structures.plain_data import parse_json
from mmpar.utils.atomic import write_atomically
from mmpar.utils.file_kinds import HEAD_BYTES, describe_unreadable

if TYPE_CHECKING:
    from torch import Tensor

ENDING = ".safetensors"
CARD_KEY = "mmpar"
"""Of the card in a file's metadata."""

_LENGTH_BYTES = 8  # of the header, which comes next
_MAX_HEADER = 1 << 24
_METADATA = "__metadata__"
_HASH_IN_NAME = re.compile(r"-([0-9a-f]{8})" + re.escape(ENDING))


class UnreadableModelError(ValueError):
    """A file is not a published model, or is damaged."""


def hash_weights(state_dict: Mapping[str, Tensor]) -> str:
    """SHA-256 of names, types, shapes and bytes of tensors, whatever their order."""
    import torch

    digest = hashlib.sha256()
    for name in sorted(state_dict):
        tensor = state_dict[name].detach().cpu().contiguous()
        kind = str(tensor.dtype).removeprefix("torch.")
        digest.update(json.dumps([name, kind, list(tensor.shape)]).encode() + b"\n")
        if tensor.numel():
            digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def write_model_file(
    path: str | Path, state_dict: Mapping[str, Tensor], card: ModelCard
) -> Path:
    """Write a published model.

    Args:
        path: The file, which gets the first eight digits of the weights' hash:
            ``hat.safetensors`` becomes ``hat-0a1b2c3d.safetensors``; or a folder, in
            which it is called after the model.
        state_dict: The weights.
        card: With the hash of these weights.

    Returns:
        The path of the file.

    Raises:
        FileExistsError: The file exists, with another card.
        ValueError: The card is of other weights, or the name has another ending.
    """
    from safetensors.torch import save

    found = hash_weights(state_dict)
    if found != card.weights_sha256:
        raise ValueError(
            f"weights_sha256 of the card is {card.weights_sha256}, but that of the "
            f"weights is {found}"
        )
    tensors = {
        name: tensor.detach().cpu().clone(memory_format=_contiguous())
        for name, tensor in state_dict.items()
    }
    content = save(tensors, {"format": "pt", CARD_KEY: card.to_json()})
    content = _with_sorted_metadata(content)
    file = name_by_hash(path, card)
    if file.is_file() and file.read_bytes() != content:
        raise existing_file(file)
    write_atomically(file, content)
    return file


def existing_file(file: Path) -> FileExistsError:
    """The error of a file that would be replaced by other content."""
    return FileExistsError(
        f"{file} exists: the same weights, published with another card, such as other "
        "thresholds. Delete it, or give another name or folder"
    )


def _contiguous() -> Any:
    import torch

    return torch.contiguous_format


def name_by_hash(path: str | Path, card: ModelCard) -> Path:
    """The file that a model is published as, see :func:`write_model_file`.

    Raises:
        ValueError: The name has another ending.
    """
    path = Path(path)
    if path.is_dir() or not path.suffix:
        path = path / f"{card.name}{ENDING}"
    if path.suffix != ENDING:
        raise ValueError(
            f"a published model is a {ENDING} file, not {path}; give a name with this "
            "ending, or a folder"
        )
    digits = f"-{card.weights_sha256[:8]}"
    stem = _HASH_IN_NAME.sub(ENDING, path.name).removesuffix(ENDING)
    return path.with_name(f"{stem}{digits}{ENDING}")


def read_model_file(path: str | Path) -> tuple[ModelCard, OrderedDict[str, Tensor]]:
    """Read a published model, whole and unchanged or not at all.

    Returns:
        Its card and its weights, on the CPU.

    Raises:
        FileNotFoundError: There is no such file.
        UnreadableModelError: It is something else, is damaged or was changed, its name
            has the hash of other weights, or a field of its card is wrong; says what.
    """
    import safetensors
    from safetensors.torch import load_file

    path = os.path.expanduser(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"no published model at {path}")
    try:
        card = _card_of(_read_header(path))
        state_dict = OrderedDict(load_file(path))
        _require_weights(card, state_dict, path)
    except (safetensors.SafetensorError, ValueError) as error:
        raise UnreadableModelError(f"the model file {path}: {error}") from error
    return card, state_dict


def read_card(path: str | Path) -> ModelCard:
    """The card of a published model alone; the weights are not looked at.

    Raises:
        FileNotFoundError: There is no such file.
        UnreadableModelError: As :func:`read_model_file`, but for the weights.
    """
    path = os.path.expanduser(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"no published model at {path}")
    try:
        return _card_of(_read_header(path))
    except ValueError as error:
        raise UnreadableModelError(f"the model file {path}: {error}") from error


def _read_header(path: str) -> dict[str, Any]:
    """The header of a safetensors file, which has to be in the form that we write."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        head = file.read(HEAD_BYTES)
        length = int.from_bytes(head[:_LENGTH_BYTES], "little")
        if head[_LENGTH_BYTES : _LENGTH_BYTES + 2] != b'{"':
            found = describe_unreadable(head, size) or "is not a safetensors file"
            raise ValueError(f"it {found}; expected what publish_model.py wrote")
        if length > min(size - _LENGTH_BYTES, _MAX_HEADER):
            raise ValueError(
                f"its header should have {length:,} bytes, of {size:,} in all: it is "
                "truncated or damaged; copy or download it again"
            )
        file.seek(_LENGTH_BYTES)
        content = file.read(length)
    try:
        header = parse_json(content.decode(), "its header")
    except UnicodeDecodeError:
        raise ValueError("its header is damaged: not UTF-8") from None
    metadata = header.get(_METADATA)
    if not isinstance(metadata, dict) or CARD_KEY not in metadata:
        raise ValueError(
            "it is a safetensors file without mmpar's card, of other software; publish "
            "a model with tools/model_converters/publish_model.py"
        )
    if content != _header_text(header):
        raise ValueError(
            "its header was changed or is damaged: it is not in the form that mmpar "
            "writes; copy or download it again, or publish the model anew"
        )
    return header


def _card_of(header: Mapping[str, Any]) -> ModelCard:
    metadata = header[_METADATA]
    if {*metadata} != {"format", CARD_KEY} or metadata["format"] != "pt":
        raise ValueError(
            f"its metadata have the fields {sorted(metadata)}, expected format='pt' "
            f"and {CARD_KEY}"
        )
    return ModelCard.from_json(str(metadata[CARD_KEY]))


def _require_weights(
    card: ModelCard, state_dict: Mapping[str, Tensor], path: str
) -> None:
    found = hash_weights(state_dict)
    if found != card.weights_sha256:
        raise ValueError(
            f"its weights were changed or are damaged: their SHA-256 is {found}, the "
            f"card's weights_sha256 is {card.weights_sha256}"
        )
    named = re.search(_HASH_IN_NAME.pattern + "$", os.path.basename(path))
    if named and not found.startswith(named[1]):
        raise ValueError(
            f"its name says that the weights are {named[1]}, but they are {found[:8]}: "
            "it is another model under this name"
        )


def _with_sorted_metadata(content: bytes) -> bytes:
    """The same file whatever the order that safetensors gave its metadata."""
    end = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], "little")
    text = _header_text(json.loads(content[_LENGTH_BYTES:end]))
    assert len(text) == end - _LENGTH_BYTES
    return content[:_LENGTH_BYTES] + text + content[end:]


def _header_text(header: Mapping[str, Any]) -> bytes:
    """A header as safetensors writes it, with sorted metadata."""
    metadata = dict(sorted(header[_METADATA].items()))
    text = json.dumps(
        {_METADATA: metadata, **{k: v for k, v in header.items() if k != _METADATA}},
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()
    return text + b" " * (-len(text) % 8)
