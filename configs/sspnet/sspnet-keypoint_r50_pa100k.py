"""SSPNet with the keypoint form of PLE on PA-100K, keypoints from a pose model.

``add_keypoints.py`` writes them; the README has its command.
"""

_base_ = ["./sspnet_r50_pa100k.py", "../_base_/models/body_keypoints.py"]

dataset = dict(keypoints="keypoints.npy")  # relative to data_root

model = dict(
    neck=dict(regions=_base_.keypoint_regions, ple=dict(kind="keypoint")),
    head=dict(regions=_base_.keypoint_regions),
)
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
