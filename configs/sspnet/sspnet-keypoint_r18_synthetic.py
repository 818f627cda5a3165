"""SSPNet with the keypoint form of PLE, on SyntheticPAR's true keypoints."""

_base_ = "./sspnet_r18_synthetic.py"

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
