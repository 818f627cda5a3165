"""Max pyramid pooling equals its oracle, also on sizes the grid does not divide."""

import pytest
import torch

from mmpar.models.layers import max_pyramid_pool
from tests.oracles.pyramid_pooling import max_pyramid_pool as oracle


@pytest.mark.parametrize("grids", [(1,), (2,), (1, 2), (3, 1, 2)])
@pytest.mark.parametrize("size", [(24, 48), (7, 5), (4, 3), (1, 1), (2, 9)])
def test_values_and_gradients_equal_the_oracle(size, grids):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn((2, 3, *size), dtype=torch.float64, generator=generator) - 4
    x.requires_grad_()
    fast, slow = max_pyramid_pool(x, grids), oracle(x, grids)
    assert torch.equal(fast, slow)
    weights = torch.linspace(1, 2, fast.numel(), dtype=torch.float64).view_as(fast)
    (gradient,) = torch.autograd.grad((fast * weights).sum(), x)
    (expected,) = torch.autograd.grad((slow * weights).sum(), x)
    torch.testing.assert_close(gradient, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("size", [(24, 48), (7, 5), (4, 3), (1, 1), (2, 9)])
def test_the_form_for_onnx_equals_the_oracle(size, monkeypatch):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn((2, 3, *size), dtype=torch.float64, generator=generator) - 4
    monkeypatch.setattr(torch.onnx, "is_in_onnx_export", lambda: True)
    assert torch.equal(max_pyramid_pool(x, (3, 1, 2)), oracle(x, (3, 1, 2)))


def test_gradients_pass_gradcheck():
    x = torch.randperm(60, dtype=torch.float64).view(1, 2, 6, 5).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: max_pyramid_pool(x, (1, 2)), (x,))
