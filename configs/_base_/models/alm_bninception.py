"""ALM in its published setting: BN-Inception, three levels, max voting."""

_base_ = ["./alm_r50.py", "../backbones/bninception.py"]

model = dict(
    data_preprocessor=_base_.pixels,
    backbone=dict(_base_.backbone, out_indices=_base_.stages),
    head=dict(in_channels=_base_.channels),
)
