"""The keypoint array that datasets read, and what fills it."""

from mmpar.datasets.keypoints.keypoint_array import KeypointArray, KeypointWriter
from mmpar.datasets.keypoints.pose_model import PoseModel

__all__ = ["KeypointArray", "KeypointWriter", "PoseModel"]
