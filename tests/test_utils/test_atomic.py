"""A file is complete, or stays as it was."""

import os

import mmengine
import pytest
import torch
from mmengine.runner import save_checkpoint

import mmpar.registry  # noqa: F401  secures MMEngine's writing
from mmpar.utils.atomic import atomic_path, write_atomically
from mmpar.utils.checkpoint_files import load_from_local


@pytest.mark.parametrize("text", [True, False])
def test_a_file_is_written_with_its_folder(tmp_path, text):
    path = tmp_path / "new" / "a.txt"
    write = mmengine.fileio.put_text if text else mmengine.fileio.put
    write("ü" if text else b"\xc3\xbc", str(path))
    assert path.read_text(encoding="utf-8") == "ü"
    assert [one.name for one in path.parent.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_what_was_saved_before_survives_a_kill_while_writing(
    tmp_path, monkeypatch, step
):
    path = str(tmp_path / "epoch_1.pth")
    save_checkpoint({"a": torch.ones(1)}, path)

    def killed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, step, killed)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint({"a": torch.zeros(1)}, path)
    assert load_from_local(path)["a"].tolist() == [1]
    assert os.listdir(tmp_path) == ["epoch_1.pth"]
    monkeypatch.undo()
    save_checkpoint({"a": torch.zeros(1)}, path)
    assert load_from_local(path)["a"].tolist() == [0]


def test_a_writer_that_fails_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "new" / "table.csv"
    write_atomically(path, "before")

    def write_half(part):
        part.write_text("half")
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"), atomic_path(path) as part:
        write_half(part)
    assert [one.name for one in path.parent.iterdir()] == ["table.csv"]
    assert path.read_text() == "before"


def test_two_that_write_one_file_do_not_meet(tmp_path, monkeypatch):
    path, replace = tmp_path / "metrics.json", os.replace

    def other_writes_first(part, target):
        monkeypatch.setattr(os, "replace", replace)
        write_atomically(path, b"other")
        replace(part, target)

    monkeypatch.setattr(os, "replace", other_writes_first)
    write_atomically(path, b"one")
    assert path.read_bytes() == b"one"
