"""SSPNet with the keypoint form of PLE on PA-100K, keypoints from a pose model.

``add_keypoints.py`` writes them; the README has its command.
"""

_base_ = [
    "../_base_/datasets/pa100k.py",
    "../_base_/models/sspnet-keypoint_r50.py",
    "../_base_/schedules/adam_plateau.py",
    "../_base_/schedules/ema.py",
    "../_base_/default_runtime.py",
]

dataset = dict(keypoints="keypoints.npy")  # relative to data_root

model = dict(head=dict(schema=_base_.schema))
train_dataloader = dict(batch_size=50, dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
train_cfg = dict(max_epochs=100)
custom_hooks = _base_.custom_hooks + _base_.ema
