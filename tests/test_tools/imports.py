"""What the server of tests/test_tools/run.py imports before it forks."""

# ruff: noqa: F401
import matplotlib.backends.backend_agg
import matplotlib.figure
import mmpretrain.models
import torchvision

import mmpar.datasets
import mmpar.engine
import mmpar.evaluation
import mmpar.explain
import mmpar.models
import mmpar.visualization
from tests.fixtures.config_text import leave_config_text_as_it_is

leave_config_text_as_it_is()
