"""SSPNet whose PLE samples around body keypoints; samples need ``gt_keypoints``."""

_base_ = "./sspnet_r50.py"

# From top to bottom, for pyramid pooling takes the halves of the list as the halves of
# a body part: features are in this order. The region `whole` has all 17, as COCO does.
face = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
shoulders = ("left_shoulder", "right_shoulder")
arms = ("left_elbow", "right_elbow", "left_wrist", "right_wrist")
hips = ("left_hip", "right_hip")
legs = ("left_knee", "right_knee", "left_ankle", "right_ankle")

regions = dict(
    head=dict(keypoints=face + shoulders),
    torso=dict(keypoints=shoulders + arms + hips),
    bottom=dict(keypoints=hips + legs),
)

model = dict(
    neck=dict(regions=regions, ple=dict(kind="keypoint")),
    head=dict(regions=regions),
)
