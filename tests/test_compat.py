"""Unfit packages are refused with a remedy."""

import importlib
import importlib.util
import warnings

import pytest
import torch

from mmpar.compat import (
    check_dependencies,
    has_deepspeed,
    shards_on_cpu,
    without_autocast,
)


def test_the_installed_packages_fit():
    check_dependencies()


def test_one_warning_of_mmcv_lite_is_silenced_and_no_other():
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        check_dependencies()
        warnings.warn(
            "Fail to import ``MultiScaleDeformableAttention`` from", stacklevel=1
        )
        warnings.warn("Fail to read the labels", stacklevel=1)
    assert [str(one.message) for one in shown] == ["Fail to read the labels"]


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


def test_a_numpy_that_torch_cannot_use_is_named_with_the_remedy(monkeypatch):
    def numpy(tensor):
        raise RuntimeError("Numpy is not available")

    monkeypatch.setattr(torch.Tensor, "numpy", numpy)
    with pytest.raises(ImportError, match=r"cannot use numpy .*'numpy<2'"):
        check_dependencies()


def test_a_torchvision_of_another_torch_is_named_as_the_cause(monkeypatch):
    def fail(name):
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(ImportError, match=r"torchvision::nms.*--force-reinstall"):
        check_dependencies()


def test_a_refusal_of_mmpretrain_itself_is_an_error_with_its_reason(monkeypatch):
    def refuse(name):
        raise AssertionError("MMCV==9 is used but incompatible")

    monkeypatch.setattr(importlib, "import_module", refuse)
    with pytest.raises(ImportError, match="torch cannot be used: MMCV==9 is used"):
        check_dependencies()


def test_another_error_of_an_import_is_left_as_it_is(monkeypatch):
    def fail(name):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        check_dependencies()


@pytest.mark.parametrize("device", ["cpu", "meta"])  # as MPS was before torch 2.5
def test_autocast_is_off_on_any_device(device):
    rows = torch.zeros(2, 2, device=device)
    with torch.autocast("cpu", torch.bfloat16):
        assert (torch.zeros(2, 2) @ torch.zeros(2, 2)).dtype == torch.bfloat16
        with without_autocast(device):
            assert (rows @ rows).dtype == torch.float32


class StreamWithPriority:
    def __init__(self, priority):
        pass


@pytest.mark.parametrize(
    ("stream", "shards"), [(StreamWithPriority, True), (object, False)]
)
def test_a_torch_shards_on_cpu_whose_streams_have_a_priority(
    monkeypatch, stream, shards
):
    monkeypatch.setattr(torch.cpu, "Stream", stream)
    assert shards_on_cpu() is shards


@pytest.mark.parametrize(
    ("found", "fits"),
    [
        (("deepspeed", "deepspeed.runtime.fp16.onebit"), True),
        (("deepspeed",), False),
        ((), False),
    ],
)
def test_a_deepspeed_fits_that_has_one_bit_optimizers(monkeypatch, found, fits):
    def find_spec(name):
        if name.startswith("deepspeed.") and "deepspeed" not in found:
            raise ModuleNotFoundError(name)
        return object() if name in found else None

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    assert has_deepspeed() is fits
