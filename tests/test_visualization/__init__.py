"""Tests of mmpar.visualization."""
