"""What the server of tests/test_tools/run.py imports before it forks."""

import mmpretrain.models  # noqa: F401

import mmpar.datasets
import mmpar.engine
import mmpar.evaluation
import mmpar.explain
import mmpar.models
import mmpar.visualization  # noqa: F401
