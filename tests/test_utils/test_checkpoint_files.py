"""Checkpoints load as they were saved; what could run code, or is none, is refused."""

import argparse
import hashlib
import io
import os
import pickle
import re
import urllib.error
import zipfile
from collections import Counter, OrderedDict
from pathlib import Path

import mmengine
import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import load_checkpoint
from torch import nn

import mmpar.registry  # noqa: F401  secures MMEngine's loaders
from mmpar.utils import checkpoint_files
from mmpar.utils.checkpoint_files import (
    UnreadableCheckpointError,
    UnsafeCheckpointError,
    load_from_http,
    load_from_local,
)
from tests.fixtures.versions import since_torch

TAKES_NAMED_TYPES = checkpoint_files._torch_takes_named_types()


class Payload:
    """Creates a file when it is unpickled."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.system, (f"touch {self.target}",)


@pytest.fixture(params=[True, False], ids=["zip", "legacy"])
def malicious(request, tmp_path):
    """A checkpoint that would create ``created``, in both file formats of torch."""
    path, created = tmp_path / "evil.pth", tmp_path / "created"
    torch.save(
        {"state_dict": {}, "meta": Payload(created)},
        path,
        _use_new_zipfile_serialization=request.param,
    )
    return path, created


def load_with_mmengine(path):
    return load_checkpoint(nn.Linear(1, 1), path, map_location="cpu")


@pytest.mark.parametrize("load", [load_from_local, load_with_mmengine])
def test_a_checkpoint_that_runs_a_command_is_refused_and_runs_nothing(malicious, load):
    path, created = malicious
    match = f"{re.escape(str(path))} was refused.*system"
    with pytest.raises(UnsafeCheckpointError, match=match):
        load(str(path))
    assert not created.exists()
    torch.load(path, weights_only=False)  # it does run where nothing protects
    assert created.exists()


def test_the_allow_list_for_older_torch_loads_and_refuses_the_same(
    malicious, tmp_path, monkeypatch
):
    monkeypatch.setattr(checkpoint_files, "_torch_takes_named_types", lambda: False)
    torch.save(runner_like_checkpoint(), tmp_path / "epoch_1.pth")
    loaded = load_from_local(str(tmp_path / "epoch_1.pth"))
    assert loaded["message_hub"]["log_scalars"]["train/loss"].mean() == 2.0
    assert loaded["param_schedulers"] == [{"milestones": Counter([3, 5])}]
    path, created = malicious
    with pytest.raises(UnsafeCheckpointError, match=r"was refused.*system"):
        load_from_local(str(path))
    assert not created.exists()


by_either_torch = pytest.mark.parametrize(
    "named_types",
    [
        pytest.param(
            True,
            id="torch 2.6",
            marks=since_torch("2.6", "its protection takes no further types"),
        ),
        pytest.param(False, id="before"),
    ],
)


class GetAttr:
    """An attribute of what the protection lets a file name."""

    def __init__(self, *arguments):
        self.arguments = arguments

    def __reduce__(self):
        return getattr, self.arguments


@by_either_torch
@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (HistoryBuffer, "__init__"),
        (HistoryBuffer, "register_statistics"),
        (OrderedDict, "mean"),
    ],
)
def test_getattr_is_for_the_statistics_of_log_buffers_only(
    tmp_path, monkeypatch, named_types, owner, name
):
    monkeypatch.setattr(
        checkpoint_files, "_torch_takes_named_types", lambda: named_types
    )
    torch.save(GetAttr(owner, name), tmp_path / "x.pth")
    with pytest.raises(UnsafeCheckpointError, match=f"getattr of '{name}' from"):
        load_from_local(str(tmp_path / "x.pth"))


def runner_like_checkpoint():
    """The types that a Runner's checkpoint holds besides tensors."""
    buffer = HistoryBuffer([1.0, 3.0], [1, 1])
    return {
        "state_dict": nn.Linear(2, 2).state_dict(),
        "param_schedulers": [{"milestones": Counter([3, 5])}],
        "message_hub": {
            "log_scalars": {"train/loss": buffer},
            "runtime_info": {
                "iter": np.int64(7),
                "loss": np.float64(0.5),
                "lr": np.float32(0.25),
                "done": np.bool_(True),
                "ratios": np.arange(4, dtype=np.float32).reshape(2, 2),
            },
        },
        "meta": {"mmengine_version": mmengine.__version__, "epoch": 3},
    }


def test_what_a_runner_saves_loads(tmp_path):
    saved = runner_like_checkpoint()
    torch.save(saved, tmp_path / "runner.pth")
    loaded = load_with_mmengine(str(tmp_path / "runner.pth"))
    hub = loaded["message_hub"]
    buffer = hub["log_scalars"]["train/loss"]
    assert isinstance(buffer, HistoryBuffer)
    assert buffer.statistics("mean") == 2
    assert buffer.data[0].tolist() == [1, 3]
    for key, value in saved["message_hub"]["runtime_info"].items():
        found = hub["runtime_info"][key]
        assert type(found) is type(value)
        np.testing.assert_array_equal(found, value)


@by_either_torch
def test_the_arguments_in_a_checkpoint_load_but_not_what_would_run_in_them(
    named_types, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        checkpoint_files, "_torch_takes_named_types", lambda: named_types
    )
    path, created = str(tmp_path / "x.pth"), tmp_path / "created"
    torch.save(dict(args=argparse.Namespace(epochs=400)), path)
    assert load_from_local(path, "cpu")["args"].epochs == 400
    torch.save(dict(args=argparse.Namespace(epochs=Payload(created))), path)
    with pytest.raises(UnsafeCheckpointError, match=r"was refused.*system"):
        load_from_local(path, "cpu")
    assert not created.exists()


@pytest.mark.parametrize("path", [b"numpy.core.multiarray", b"numpy._core.multiarray"])
def test_checkpoints_written_under_either_numpy_load(tmp_path, path):
    class Module:
        """``pickle`` for torch.save, writing the wanted numpy's module path."""

        HIGHEST_PROTOCOL = pickle.HIGHEST_PROTOCOL

        class Pickler(pickle._Pickler):
            def save_global(self, obj, name=None):
                if getattr(obj, "__name__", "") in ("_reconstruct", "scalar"):
                    name = obj.__name__.encode()
                    self.write(pickle.GLOBAL + path + b"\n" + name + b"\n")
                    self.memoize(obj)
                else:
                    super().save_global(obj, name)

            dispatch = {**pickle._Pickler.dispatch}
            dispatch[type(save_global)] = save_global

    values = {"array": np.arange(3), "number": np.float64(1.5)}
    torch.save(values, tmp_path / "x.pth", pickle_module=Module)
    assert path in (tmp_path / "x.pth").read_bytes()
    loaded = load_from_local(str(tmp_path / "x.pth"))
    assert loaded["array"].tolist() == [0, 1, 2]
    assert loaded["number"] == 1.5


def test_an_absent_checkpoint_is_an_error_with_its_path(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no checkpoint at .*none\.pth"):
        load_from_local(str(tmp_path / "none.pth"))


def test_a_home_folder_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    torch.save({"a": torch.ones(2)}, tmp_path / "x.pth")
    assert load_from_local("~/x.pth")["a"].tolist() == [1, 1]


@pytest.fixture
def address(tmp_path, monkeypatch):
    """An http address whose download is a copy; and the list of downloads."""
    downloads = []

    def download(url, path, progress):
        downloads.append(url)
        torch.save({"a": torch.ones(1), "b": os.system} if "evil" in url else {}, path)
        if "page" in url:
            Path(path).write_text("<html>sign in</html>")

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    return "https://example.com/{}.pth?x=1", downloads


def test_a_download_happens_once(address, tmp_path):
    url, downloads = address
    for _ in range(2):
        assert load_from_http(url.format("good")) == {}
    assert downloads == [url.format("good")]
    (kept,) = (tmp_path / "checkpoints").iterdir()
    assert re.fullmatch(r"good-[0-9a-f]{16}\.pth", kept.name)


def test_addresses_that_end_alike_are_different_files(address):
    _, downloads = address
    urls = [
        f"https://{host}.com/run/epoch_12.pth{q}" for host in "ab" for q in ("", "?b")
    ]
    for url in urls * 2:
        load_with_mmengine(url)
    assert downloads == urls


@pytest.mark.parametrize("intact", [True, False])
def test_a_file_of_the_plain_name_is_taken_if_it_has_the_hash_in_it(
    address, tmp_path, intact
):
    _, downloads = address
    content = io.BytesIO()
    torch.save({"w": torch.tensor(7)}, content)
    digest = hashlib.sha256(content.getvalue()).hexdigest()
    path = tmp_path / "checkpoints" / f"resnet50-{digest[:8]}.pth"
    path.parent.mkdir()
    path.write_bytes(content.getvalue() + (b"" if intact else b" "))
    loaded = load_from_http(f"https://example.com/{path.name}")
    assert loaded == ({"w": torch.tensor(7)} if intact else {})
    assert len(downloads) == (0 if intact else 1)
    assert path.is_file()


def test_a_failed_download_does_not_leave_other_processes_waiting(monkeypatch, address):
    barriers = []
    monkeypatch.setattr("mmengine.dist.barrier", lambda: barriers.append(1))
    monkeypatch.setattr(torch.hub, "download_url_to_file", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        load_from_http(address[0].format("x"))
    assert barriers == [1]


def test_a_downloaded_checkpoint_is_as_protected(address):
    url, _ = address
    with pytest.raises(
        UnsafeCheckpointError, match=r"evil-\w+\.pth was refused.*system"
    ):
        load_with_mmengine(url.format("evil"))


def forged(content, shape, code, build=False):
    """A checkpoint's pickle of a NumPy array as an attacker writes it, protocol 2."""
    parts = [
        pickle.PROTO + b"\x02" + pickle.EMPTY_DICT + pickle.BINUNICODE,
        len(b"x").to_bytes(4, "little") + b"x",
        pickle.GLOBAL + b"numpy\nndarray\n" + pickle.MARK,
        pickle.MARK + pickle.BININT1 + bytes([shape]) + pickle.TUPLE,
        pickle.BINUNICODE + len(code).to_bytes(4, "little") + code,
        pickle.GLOBAL + b"_codecs\nencode\n" + pickle.BINUNICODE,
        len(content).to_bytes(4, "little") + content,
        pickle.BINUNICODE + b"\x06\0\0\0latin1" + pickle.TUPLE2 + pickle.REDUCE,
        pickle.TUPLE + pickle.REDUCE + pickle.SETITEM + pickle.STOP,
    ]
    return b"".join(parts)


def with_pickle(path, content):
    """The archive at ``path`` with another data.pkl."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, old in members.items():
            archive.writestr(name, content if name.endswith("/data.pkl") else old)


@by_either_torch
def test_an_array_whose_bytes_would_be_objects_is_refused(
    tmp_path, monkeypatch, named_types
):
    if not named_types:
        monkeypatch.setattr(checkpoint_files, "_torch_takes_named_types", lambda: False)
    torch.save({}, tmp_path / "x.pth")
    with_pickle(tmp_path / "x.pth", forged(b"A" * 8, 1, b"O8"))
    with pytest.raises(UnsafeCheckpointError, match="arrays are only made by"):
        load_from_local(str(tmp_path / "x.pth"))


@pytest.mark.parametrize("array", [np.array([{}]), np.array(["x"]), np.array([b"x"])])
def test_arrays_of_anything_but_numbers_are_refused_by_their_type(tmp_path, array):
    torch.save({"array": array}, tmp_path / "x.pth")
    kind = repr(array.dtype.str[1:])[:2]
    with pytest.raises(UnsafeCheckpointError, match=f"arrays of the type {kind}"):
        load_from_local(str(tmp_path / "x.pth"))


def test_a_pickle_cannot_alter_what_makes_its_arrays(tmp_path, monkeypatch):
    # Torch's own protection from 2.6 on sets no attributes of such objects at all.
    monkeypatch.setattr(checkpoint_files, "_torch_takes_named_types", lambda: False)
    torch.save({}, tmp_path / "x.pth")
    make = b"N}X\x05\0\0\0_makec_codecs\nencode\ns\x86b."
    with_pickle(tmp_path / "x.pth", b"\x80\x02cnumpy\nndarray\n" + make)
    with pytest.raises(UnsafeCheckpointError, match="must not set '_make'"):
        load_from_local(str(tmp_path / "x.pth"))


def test_loaded_arrays_are_numpys_own_and_save_again(tmp_path):
    nested = [({"a": np.arange(3)},), np.zeros(0), np.ones((2, 3), np.int32)]
    torch.save(nested, tmp_path / "x.pth")
    loaded = load_from_local(str(tmp_path / "x.pth"))
    assert {type(a) for a in (loaded[0][0]["a"], *loaded[1:])} == {np.ndarray}
    torch.save(loaded, tmp_path / "again.pth")
    again = load_from_local(str(tmp_path / "again.pth"))
    np.testing.assert_array_equal(again[2], nested[2])
    assert again[1].shape == (0,)


def test_versions_in_a_state_dict_survive(tmp_path):
    torch.save(nn.BatchNorm1d(2).state_dict(), tmp_path / "x.pth")
    assert load_from_local(str(tmp_path / "x.pth"))._metadata[""]["version"] == 2


@by_either_torch
@pytest.mark.parametrize("member", ["code/__torch__.py", "constants.pkl"])
def test_a_torchscript_program_is_refused_before_torch_sees_it(
    tmp_path, monkeypatch, named_types, member
):
    monkeypatch.setattr(
        checkpoint_files, "_torch_takes_named_types", lambda: named_types
    )
    monkeypatch.setattr(torch, "load", lambda *a, **k: pytest.fail("torch saw it"))
    with zipfile.ZipFile(tmp_path / "x.pth", "w") as archive:
        archive.writestr("x/data.pkl", b"")
        archive.writestr(f"x/{member}", b"")
    with pytest.raises(UnsafeCheckpointError, match=r"x\.pth was refused.*TorchScript"):
        load_from_local(str(tmp_path / "x.pth"))


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 102530333\n"


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html><title>Sign in</title></html>", "web page"),
        (LFS, "Git LFS pointer.*git lfs pull"),
        (b"Not Found", "plain text that begins with 'Not Found'"),
        (bytes(range(7, 256)), "has a format that torch.load does not read"),
        (pickle.dumps({"labels": [0, 1]}), "is a pickle; expected a file that torch"),
        ((90).to_bytes(8, "little") + b'{"__metadata__":{}}', "safetensors"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "is a PNG image"),
        (b"x" * 257 + b"ustar\x0000", "is a tar archive"),
        (b"\x80\x02" + checkpoint_files._LEGACY_MAGIC + b".", r"cannot be read \(EOF"),
        (
            b"\x80\x02" + checkpoint_files._LEGACY_MAGIC + b".\x80\x02\x95junk",
            "damaged, or not one that torch.save wrote.*"
            + ("operand 149" if TAKES_NAMED_TYPES else "truncated"),
        ),
    ],
)
def test_what_is_no_checkpoint_is_named(tmp_path, content, match):
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(UnreadableCheckpointError, match=match) as error:
        load_from_local(str(tmp_path / "x.pth"))
    assert str(tmp_path / "x.pth") in str(error.value)


def test_a_folder_is_no_checkpoint(tmp_path):
    with pytest.raises(FileNotFoundError, match="is a folder; name a checkpoint file"):
        load_from_local(str(tmp_path))


def test_a_zip_of_something_else_is_named_by_what_it_holds(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.pth", "w") as archive:
        archive.writestr("epoch_1.pth", b"1")
    with pytest.raises(UnreadableCheckpointError, match=r"it holds epoch_1\.pth"):
        load_from_local(str(tmp_path / "x.pth"))


def test_a_compressed_archive_is_not_inflated(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/data.pkl", bytes(10**6))
    with pytest.raises(UnreadableCheckpointError, match=r"not one that torch\.save"):
        load_from_local(str(tmp_path / "x.pth"))


@pytest.mark.parametrize("cut", [-1, 200, 1000])
def test_a_torn_checkpoint_is_not_whole(tmp_path, cut):
    torch.save({"a": torch.arange(500.0)}, tmp_path / "x.pth")
    content = (tmp_path / "x.pth").read_bytes()
    (tmp_path / "x.pth").write_bytes(content[:cut])
    with pytest.raises(UnreadableCheckpointError, match=r"x\.pth is not whole"):
        load_from_local(str(tmp_path / "x.pth"))


def test_a_flipped_byte_is_noticed(tmp_path):
    weights = torch.arange(500.0)
    torch.save({"a": weights}, tmp_path / "x.pth")
    content = bytearray((tmp_path / "x.pth").read_bytes())
    content[content.index(weights.numpy().tobytes()) + 801] ^= 1
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(UnreadableCheckpointError, match="checksum of x/data/0 differs"):
        load_from_local(str(tmp_path / "x.pth"))


def test_without_a_network_the_error_says_where_to_put_the_file(monkeypatch, tmp_path):
    def fail(*_, **__):
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(torch.hub, "download_url_to_file", fail)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    target = re.escape(str(tmp_path / "checkpoints"))
    match = f"resnet50-.*Name or service.*put it at {target}/resnet50-.*init_cfg=None"
    with pytest.raises(ConnectionError, match=match):
        load_with_mmengine("torchvision://resnet50")


@pytest.mark.parametrize(
    ("address", "nearest"),
    [
        ("torchvision://resnet5O", "resnet50"),
        ("openmmlab://resnet50_cafe", "caffe"),
        ("mmcls://vgg1", "vgg1"),
    ],
)
def test_a_mistyped_model_is_an_error_with_the_nearest_names(address, nearest):
    name = address.partition("://")[2]
    with pytest.raises(ValueError, match=rf"called '{name}'; did you mean .*{nearest}"):
        load_with_mmengine(address)


@pytest.mark.parametrize("address", ["s3://b/x.pth", "c:s3://b/x", "pavi://x"])
def test_addresses_that_mmengine_reads_by_itself_are_refused(address):
    with pytest.raises(ValueError, match=f"not read from {address}; download it"):
        load_with_mmengine(address)


def test_a_model_by_name_is_as_protected(monkeypatch, tmp_path):
    url, folder = "https://example.com/resnet50-x.pth", tmp_path / "checkpoints"
    folder.mkdir()
    path = checkpoint_files._cached(url, str(folder))
    torch.save({"a": os.system}, path)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(
        mmengine.runner.checkpoint,
        "get_torchvision_models",
        lambda: {"resnet50": url},
    )
    with pytest.raises(UnsafeCheckpointError, match="was refused"):
        load_with_mmengine("torchvision://resnet50")


@pytest.mark.parametrize(
    ("name", "error"),
    [("page", UnreadableCheckpointError), ("evil", UnsafeCheckpointError)],
)
def test_a_download_that_does_not_load_is_deleted(address, tmp_path, name, error):
    url, downloads = address
    for _ in range(2):
        with pytest.raises(
            error, match=rf"example\.com/{name}.* was deleted: the next"
        ):
            load_with_mmengine(url.format(name))
        assert not list((tmp_path / "checkpoints").iterdir())
    assert len(downloads) == 2


def test_a_shared_file_that_does_not_load_is_left_alone(address, tmp_path):
    page = b"<html>sign in</html>"
    path = tmp_path / "checkpoints" / f"x-{hashlib.sha256(page).hexdigest()[:8]}.pth"
    path.parent.mkdir()
    path.write_bytes(page)
    with pytest.raises(UnreadableCheckpointError, match=r"web page.*; delete it to"):
        load_with_mmengine(f"https://example.com/{path.name}")
    assert path.read_bytes() == page
