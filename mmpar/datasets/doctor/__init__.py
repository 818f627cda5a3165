"""The data set doctor: what is wrong with labels, splits and pictures."""

from mmpar.datasets.doctor.examination import Examination, examine
from mmpar.datasets.doctor.findings import Finding
from mmpar.datasets.doctor.published import Published

__all__ = ["Examination", "Finding", "Published", "examine"]
