"""SSPNet with the keypoint form of PLE in the reduced benchmark, see docs/results.md.

``add_keypoints.py`` writes the keypoints with MoveNet; docs/results.md has its command.
"""

_base_ = "./sspnet_mbv2_peta160.py"

model = dict(neck=dict(ple=dict(type="KeypointPLE")))

dataset = dict(keypoints="keypoints.npy")  # relative to data_root
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
