"""ALM in the reduced benchmark: MobileNetV2, PETA at 128x64."""

_base_ = [
    "../_base_/models/alm_r50.py",
    "../_base_/reduced/mbv2_peta160.py",
]

model = dict(
    backbone=dict(_base_.mobilenet, out_indices=(2, 4, 7)),
    head=dict(schema=_base_.schema, in_channels=(32, 96, 1280)),
)
