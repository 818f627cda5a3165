"""Tests of mmpar.datasets.keypoints."""
