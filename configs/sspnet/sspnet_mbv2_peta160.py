"""SSPNet in the reduced benchmark: MobileNetV2, PETA at 128x64."""

_base_ = [
    "../_base_/models/sspnet_r50.py",
    "../_base_/reduced/mbv2_peta160.py",
]

model = dict(
    # Strides 4, 8, 16 and 32.
    backbone=dict(_base_.mobilenet, out_indices=(1, 2, 4, 7)),
    neck=dict(in_channels=(24, 32, 96, 1280), out_channels=128),
    head=dict(schema=_base_.schema, in_channels=128),
)
optim_wrapper = dict(optimizer=dict(lr=3e-4))  # the best of two on val
