"""What every test starts from, and how tests stay cheap.

A fresh interpreter takes eight seconds of CPU to import torch and mmpretrain, a config
that is written a quarter of one. Hence:

- A tool is called with :mod:`tests.test_tools.run`, whose processes are forked from a
  server with these imports; a shell script or torchrun, only for what it alone does.
- A trained model comes from ``trained_work_dir``, below, made once for all tests. What
  trains itself starts from :func:`tests.fixtures.trained.write_thin_config`: thin
  layers, images that one can count. A full width shows nothing more.
- A shipped config that many tests read is parsed once and copied.
- What takes more than ten seconds is marked ``slow``; CI runs it, and names it.
"""

import functools
import logging
import os
import random
from collections import OrderedDict

import numpy as np
import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope

from tests.fixtures.config_text import leave_config_text_as_it_is
from tests.fixtures.scopes import default_scope_restored
from tests.fixtures.trained import train_once

leave_config_text_as_it_is()
if "PYTEST_XDIST_WORKER" in os.environ:
    # A worker for each core: more threads would spin against each other, here and in
    # the processes that tests start.
    torch.set_num_threads(1)
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def seeded():
    """Every test draws the same random numbers, whatever ran before it."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def no_default_scope_left_behind():
    """A Runner, or a fixture of any scope, sets one; every test begins with none."""
    with default_scope_restored():
        DefaultScope._instance_dict = OrderedDict()
        yield


@pytest.fixture
def log(caplog, monkeypatch):
    """What MMEngine's current logger says, from INFO on, as ``log.text``."""
    logger = MMLogger.get_current_instance()
    monkeypatch.setattr(logger, "propagate", False)  # handled once
    logger.addHandler(caplog.handler)
    caplog.set_level(logging.INFO)
    yield caplog
    logger.removeHandler(caplog.handler)


@pytest.fixture(scope="session")
def trained_work_dir(tmp_path_factory):
    """``trained_work_dir("linear" | "sspnet" | "alm")``: a work dir, trained once.

    All tests of a run share it, those of other workers too: copy what you change. Its
    config is :func:`tests.fixtures.trained.write_thin_config`'s and lies in it, beside
    ``epoch_1.pth`` and the best checkpoint.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    return functools.partial(train_once, folder=folder / "trained")
