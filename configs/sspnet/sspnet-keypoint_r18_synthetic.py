"""SSPNet with the keypoint form of PLE, on SyntheticPAR's true keypoints."""

_base_ = ["./sspnet_r18_synthetic.py", "../_base_/models/body_keypoints.py"]

model = dict(
    neck=dict(regions=_base_.keypoint_regions, ple=dict(kind="keypoint")),
    head=dict(regions=_base_.keypoint_regions),
)
