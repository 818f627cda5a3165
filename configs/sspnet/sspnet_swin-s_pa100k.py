"""SSPNet on PA-100K with Swin-S."""

_base_ = ["./sspnet_r50_pa100k.py", "../_base_/backbones/swin-s.py"]

model = dict(
    data_preprocessor=_base_.pixels,
    backbone=dict(_base_.backbone, out_indices=_base_.stages),
    neck=dict(in_channels=_base_.channels),
)
