"""SSPNet with the keypoint form of PLE, on SyntheticPAR's true keypoints."""

_base_ = "./sspnet_r18_synthetic.py"

model = dict(neck=dict(ple=dict(type="KeypointPLE")))
