"""The data set doctor: what is wrong with labels, splits and pictures."""

from mmpar.datasets.doctor.examination import Examination, examine
from mmpar.datasets.doctor.findings import Finding

__all__ = ["Examination", "Finding", "examine"]
