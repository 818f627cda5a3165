"""The dataset doctor: what is wrong with labels, splits and images."""

from mmpar.datasets.doctor.dataset_report import DatasetReport, check_dataset
from mmpar.datasets.doctor.issue import Issue
from mmpar.datasets.doctor.published import Published

__all__ = ["DatasetReport", "Issue", "Published", "check_dataset"]
