"""What every test starts from."""

import copy

import pytest
from mmengine.registry import DefaultScope


@pytest.fixture(autouse=True)
def no_default_scope_left_behind():
    """A Runner or a fixture sets MMEngine's global scope; the next test has none.

    MMEngine has no public way back to "no default scope": its dictionary is restored.
    """
    before = copy.copy(DefaultScope._instance_dict)
    yield
    DefaultScope._instance_dict = before
