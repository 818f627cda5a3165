"""Sizes that a file gives of itself allocate nothing beyond its own."""

import resource
import struct
import zipfile

import pytest
import torch

from mmpar.utils.bounded_file import BoundedFile, damaged_member, opened_zip
from mmpar.utils.checkpoint_files import UnreadableCheckpointError, load_from_local


def test_reads_are_those_of_a_plain_file(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(bytes(range(200)))
    with BoundedFile(str(path)) as file:
        assert file.read(3) == b"\0\1\2"
        assert file.read(10**15) == bytes(range(3, 200))
        file.seek(190)
        assert file.read() == file.read(0) + bytes(range(190, 200))


def test_a_length_of_gigabytes_in_a_small_checkpoint_takes_no_memory(tmp_path):
    path = tmp_path / "x.pth"
    torch.save({"a-very-plain-name": 1}, path, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    at = content.index(b"a-very-plain-name") - 4
    huge = content[:at] + struct.pack("<I", 2**31 - 1) + content[at + 4 :]
    path.write_bytes(huge)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UnreadableCheckpointError, match=r"x\.pth") as error:
        load_from_local(str(path))
    assert not isinstance(error.value.__cause__, MemoryError)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_whatever_is_wrong_with_a_zip_archive_is_one_error(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("name", b"content")
    whole = path.read_bytes()
    with opened_zip(str(path)) as archive:
        assert damaged_member(archive) is None
    end = whole.index(b"PK\5\6")
    directory = whole.index(b"PK\1\2")
    faults = {
        "the directory's size": (end + 12, b"\xff\xff\xff\x7f"),
        "a name in no encoding": (directory + 8, b"\x00\x08", directory + 46, b"\xff"),
        "the needed version": (directory + 6, b"\xff"),
    }
    for fault, changes in faults.items():
        content = bytearray(whole)
        for at, change in zip(changes[::2], changes[1::2]):
            content[at : at + len(change)] = change
        path.write_bytes(bytes(content))
        with pytest.raises(zipfile.BadZipFile), opened_zip(str(path)) as archive:
            raise AssertionError(f"{fault} went unnoticed")
