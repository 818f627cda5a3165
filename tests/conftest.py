"""What every test starts from."""

import copy
import logging

import pytest
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope


@pytest.fixture(autouse=True)
def no_default_scope_left_behind():
    """A Runner or a fixture sets MMEngine's global scope; the next test has none.

    MMEngine has no public way back to "no default scope": its dictionary is restored.
    """
    before = copy.copy(DefaultScope._instance_dict)
    yield
    DefaultScope._instance_dict = before


@pytest.fixture
def log(caplog, monkeypatch):
    """What MMEngine's current logger says, from INFO on, as ``log.text``."""
    logger = MMLogger.get_current_instance()
    monkeypatch.setattr(logger, "propagate", False)  # handled once
    logger.addHandler(caplog.handler)
    caplog.set_level(logging.INFO)
    yield caplog
    logger.removeHandler(caplog.handler)
