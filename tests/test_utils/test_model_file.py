"""A model file is read whole and unchanged, or refused by what is wrong with it."""

import io
import json
import random
import zipfile
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save

from mmpar.utils.checkpoint_files import UnreadableCheckpointError, load_from_local
from mmpar.utils.model_file import (
    UnreadableModelError,
    hash_weights,
    read_card,
    read_model_file,
    write_model_file,
)
from tests.test_structures.test_model_card import CARD as OTHER_CARD

WEIGHTS = {
    "head.weight": torch.arange(12.0).reshape(3, 4),
    "head.count": torch.tensor(7),
    "head.half": torch.ones(3, dtype=torch.bfloat16),
    "head.empty": torch.zeros(0, 2),
    "head.strided": torch.arange(6).reshape(2, 3).t(),
}
CARD = replace(OTHER_CARD, weights_sha256=hash_weights(WEIGHTS))


@pytest.fixture
def file(tmp_path):
    return write_model_file(tmp_path, WEIGHTS, CARD)


def test_a_model_file_is_read_back_and_always_the_same(file, tmp_path):
    assert file.name == f"tiny_model-1-{CARD.weights_sha256[:8]}.safetensors"
    card, weights = read_model_file(file)
    assert card == CARD == read_card(file)
    assert {*weights} == {*WEIGHTS}
    assert all(torch.equal(weights[name], WEIGHTS[name]) for name in WEIGHTS)
    assert all(weights[name].dtype == WEIGHTS[name].dtype for name in WEIGHTS)
    for _ in range(5):  # safetensors' own order of the metadata is random
        again = write_model_file(tmp_path / "a.safetensors", WEIGHTS, CARD)
        assert again.read_bytes() == file.read_bytes()
    once_more = write_model_file(again, weights, card)  # its hash is not added twice
    assert once_more == again


def test_a_model_does_not_replace_one_with_another_card(tmp_path):
    file = write_model_file(tmp_path, WEIGHTS, CARD)
    before = file.read_bytes()
    with pytest.raises(FileExistsError, match=rf"{file.name} exists.*another name"):
        write_model_file(tmp_path, WEIGHTS, replace(CARD, license="MIT"))
    assert file.read_bytes() == before
    assert write_model_file(tmp_path, WEIGHTS, CARD) == file


def test_the_hash_is_of_names_types_shapes_and_values_in_any_order():
    backwards = dict(reversed(WEIGHTS.items()))
    assert hash_weights(backwards) == CARD.weights_sha256
    others = [
        {**WEIGHTS, "head.count": torch.tensor(8)},
        {**WEIGHTS, "head.count": torch.tensor([7])},
        {**WEIGHTS, "head.empty": torch.zeros(2, 0)},
        {**WEIGHTS, "head.count": torch.tensor(7).double().view(torch.int64)},
        {name.replace("half", "part"): value for name, value in WEIGHTS.items()},
    ]
    assert len({CARD.weights_sha256, *map(hash_weights, others)}) == 1 + len(others)


def test_a_card_of_other_weights_or_a_name_of_another_kind_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="weights_sha256 of the card is b"):
        write_model_file(tmp_path, WEIGHTS, OTHER_CARD)
    with pytest.raises(ValueError, match=r"is a .safetensors file, not .*m\.pth"):
        write_model_file(tmp_path / "m.pth", WEIGHTS, CARD)
    assert list(tmp_path.iterdir()) == []


def test_a_thousand_changed_bytes_are_each_refused(file):
    content, generator = file.read_bytes(), random.Random(0)
    for _ in range(1000):
        position = generator.randrange(len(content))
        changed = bytearray(content)
        changed[position] ^= generator.randrange(1, 256)
        file.write_bytes(changed)
        with pytest.raises(UnreadableModelError, match=str(file)):
            read_model_file(file)


def test_a_file_cut_off_anywhere_or_with_more_at_its_end_is_refused(file):
    content = file.read_bytes()
    for length in (0, 1, 7, 8, 9, 100, len(content) // 2, len(content) - 1):
        file.write_bytes(content[:length])
        with pytest.raises(UnreadableModelError):
            read_model_file(file)
    file.write_bytes(content + b"\0")
    with pytest.raises(UnreadableModelError):
        read_model_file(file)


def test_a_file_under_the_name_of_another_model_is_refused(file):
    renamed = file.rename(file.with_name("tiny-0123abcd.safetensors"))
    with pytest.raises(UnreadableModelError, match="weights are 0123abcd, but they"):
        read_model_file(renamed)
    read_model_file(renamed.rename(file.with_name("without_a_hash.safetensors")))


class Bomb:
    def __reduce__(self):
        return (exec, ("open('CANARY', 'w')",))


def zip_bomb():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(10**8))
    return content.getvalue()


def saved(content, save_with=torch.save):
    file = io.BytesIO()
    save_with(content, file)
    return file.getvalue()


def with_header(header, size=None):
    text = json.dumps(header, separators=(",", ":")).encode()
    return (size or len(text)).to_bytes(8, "little") + text


PLAIN = save({"a": torch.zeros(2)})
KINDS = {
    "pickle": (saved(Bomb()), "it is a zip archive"),
    "old pickle": (
        saved(Bomb(), lambda x, f: torch.save(x, f, _use_new_zipfile_serialization=0)),
        "it is a pickle",
    ),
    "zip bomb": (zip_bomb(), "it is a zip archive"),
    "web page": (b"<!DOCTYPE html><html>Sign in</html>", "it is a web page"),
    "LFS pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        "it is a Git LFS pointer.*git lfs pull",
    ),
    "empty": (b"", "it is empty"),
    "text": (b"not a model", "it is plain text that begins with 'not a model'"),
    "zeros": (bytes(4096), "begins with zero bytes only"),
    "without a card": (PLAIN, "without mmpar's card, of other software"),
    "a huge header": (with_header({"a": 1}, 2**60), "should have 1,152,921,504,6"),
    "list": (with_header({"a": 1})[:8] + b'["a",1', "is not a safetensors file|plain"),
    "no metadata": (with_header({"__metadata__": 1}), "without mmpar's card"),
    "other metadata": (
        save({"a": torch.zeros(2)}, {"format": "tf", "mmpar": "{}"}),
        "expected format='pt'|one form|in the form",
    ),
    "no JSON": (with_header({"a": 1}).replace(b"1", b"]"), "not valid JSON"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_another_kind_of_file_is_refused_by_what_it_is(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content, match = KINDS[kind]
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(UnreadableModelError, match=match):
        read_model_file("model.safetensors")
    with pytest.raises(UnreadableCheckpointError, match=match):
        load_from_local("model.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


def test_a_model_file_needs_its_ending_and_to_exist(file, tmp_path):
    with pytest.raises(FileNotFoundError, match="no published model at"):
        read_model_file(tmp_path / "none.safetensors")
    with pytest.raises(UnreadableCheckpointError, match=r"must end in \.safetensors"):
        load_from_local(str(file.rename(tmp_path / "model.pth")))
