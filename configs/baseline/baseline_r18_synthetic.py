"""The Strong Baseline with ResNet-18 from random weights on SyntheticPAR."""

_base_ = [
    "../_base_/datasets/synthetic.py",
    "../_base_/models/baseline_r50.py",
    "../_base_/schedules/adam_synthetic.py",
    "../_base_/default_runtime.py",
]

model = dict(
    backbone=dict(depth=18, init_cfg=None),
    head=dict(schema=_base_.schema, in_channels=512),
)
channels_last = True
