"""What samples carry becomes arrays, whatever its type."""

import numpy as np
import pytest
import torch

from mmpar.evaluation.gather import as_array


@pytest.mark.parametrize(
    "dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64, torch.int64]
)
def test_tensors_of_any_type_become_arrays(dtype):
    found = as_array(torch.tensor((-1, 0, 3)).to(dtype), np.float32)
    assert found.dtype == np.float32
    assert found.tolist() == [-1, 0, 3]


def test_lists_and_arrays_become_arrays():
    assert as_array([0.5, 1], np.float32).tolist() == [0.5, 1]
    assert as_array(np.array((1.0, -1.0)), np.int8).dtype == np.int8
