"""Making the keypoint array that a data set reads."""

from mmpar.datasets.keypoints.coco_results import Found, read_coco_keypoints
from mmpar.datasets.keypoints.outside import drop_outside, picture_size
from mmpar.datasets.keypoints.pose_model import PoseModel
from mmpar.datasets.keypoints.unfinished import UnfinishedKeypoints

__all__ = [
    "Found",
    "PoseModel",
    "UnfinishedKeypoints",
    "drop_outside",
    "picture_size",
    "read_coco_keypoints",
]
