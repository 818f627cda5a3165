"""Unfit packages are refused with a remedy, and checkpoints that could run code."""

import importlib
import importlib.util
import os
import pickle
import re

import mmengine
import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import load_checkpoint
from torch import nn

from mmpar import compat
from mmpar.compat import UnsafeCheckpointError, check_dependencies


def test_the_installed_packages_fit():
    check_dependencies()


@pytest.mark.parametrize(
    ("name", "version", "match"),
    [
        ("mmengine", "0.10.3", r"mmengine >= 0\.10\.4, < 1\.0\.0, but 0\.10\.3 .*pip"),
        ("mmcv", "1.7.2", r"mmcv >= 2\.0\.0, < 3\.0\.0, but 1\.7\.2 .*mmcv-lite"),
        ("mmcv", "3.0.0", r"mmcv >= 2\.0\.0, < 3\.0\.0, but 3\.0\.0 .*mmcv-lite"),
        ("mmpretrain", "1.0.0rc8", r"mmpretrain >= 1\.2\.0, < 2.*1\.0\.0rc8 .*pip"),
    ],
)
def test_a_version_out_of_range_is_an_error_with_the_remedy(
    monkeypatch, name, version, match
):
    module = importlib.import_module(name)
    monkeypatch.setattr(module, "__version__", version)
    with pytest.raises(ImportError, match=match) as error:
        check_dependencies()
    assert str(module.__file__) in str(error.value)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("mmengine", "pip install 'mmengine"),
        ("mmcv", r"mmpar\[mmcv-lite\]"),
        ("mmpretrain", "pip install 'mmpretrain"),
        ("torchvision", "pip install torch torchvision"),
    ],
)
def test_an_absent_package_is_an_error_with_the_remedy(monkeypatch, name, remedy):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda n, *a: None if n == name else find(n, *a)
    )
    with pytest.raises(ImportError, match=f"mmpar needs {name}.*{remedy}"):
        check_dependencies()


def test_a_torchvision_of_another_torch_is_named_as_the_cause(monkeypatch):
    def fail(name):
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(ImportError, match=r"torchvision::nms.*--force-reinstall"):
        check_dependencies()


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


@pytest.mark.parametrize("load", [compat.load_from_local, load_with_mmengine])
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
    monkeypatch.setattr(compat, "_torch_takes_named_types", lambda: False)
    torch.save(runner_like_checkpoint(), tmp_path / "epoch_1.pth")
    loaded = compat.load_from_local(str(tmp_path / "epoch_1.pth"))
    assert loaded["message_hub"]["log_scalars"]["train/loss"].mean() == 2.0
    path, created = malicious
    with pytest.raises(UnsafeCheckpointError, match=r"was refused.*system"):
        compat.load_from_local(str(path))
    assert not created.exists()


class GetAttr:
    def __reduce__(self):
        return getattr, (nn.Module, "__init__")


def test_getattr_is_allowed_for_log_buffers_only(tmp_path):
    torch.save(GetAttr(), tmp_path / "x.pth")
    with pytest.raises(UnsafeCheckpointError, match="was refused"):
        compat.load_from_local(str(tmp_path / "x.pth"))


def runner_like_checkpoint():
    """The types that a Runner's checkpoint holds besides tensors."""
    buffer = HistoryBuffer([1.0, 3.0], [1, 1])
    return {
        "state_dict": nn.Linear(2, 2).state_dict(),
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
    loaded = compat.load_from_local(str(tmp_path / "x.pth"))
    assert loaded["array"].tolist() == [0, 1, 2]
    assert loaded["number"] == 1.5


def test_an_absent_checkpoint_is_an_error_with_its_path(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no checkpoint at .*none\.pth"):
        compat.load_from_local(str(tmp_path / "none.pth"))


def test_a_home_folder_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    torch.save({"a": torch.ones(2)}, tmp_path / "x.pth")
    assert compat.load_from_local("~/x.pth")["a"].tolist() == [1, 1]


@pytest.fixture
def address(tmp_path, monkeypatch):
    """An http address whose download is a copy; and the list of downloads."""
    downloads = []

    def download(url, path, progress):
        downloads.append(url)
        torch.save({"a": torch.ones(1), "b": os.system} if "evil" in url else {}, path)

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    return "https://example.com/{}.pth?x=1", downloads


def test_a_download_happens_once(address, tmp_path):
    url, downloads = address
    for _ in range(2):
        assert compat.load_from_http(url.format("good")) == {}
    assert downloads == [url.format("good")]
    assert (tmp_path / "checkpoints" / "good.pth").is_file()


def test_a_downloaded_checkpoint_is_as_protected(address):
    url, _ = address
    with pytest.raises(UnsafeCheckpointError, match=r"evil\.pth was refused.*system"):
        load_with_mmengine(url.format("evil"))
