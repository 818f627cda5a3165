"""Whole models: backbone, neck and head."""

from mmpar.models.classifiers.par_classifier import PARClassifier

__all__ = ["PARClassifier"]
