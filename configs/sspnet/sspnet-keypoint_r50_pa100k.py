"""SSPNet with the keypoint form of PLE on PA-100K, keypoints from a pose model.

``add_keypoints.py`` writes them; the README has its command.
"""

_base_ = "./sspnet_r50_pa100k.py"

model = dict(neck=dict(ple=dict(type="KeypointPLE")))

dataset = dict(keypoints="keypoints.npy")  # relative to data_root
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
