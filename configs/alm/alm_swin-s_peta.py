"""ALM on PETA with Swin-S at 256x128."""

_base_ = ["./alm_r50_peta.py", "../_base_/backbones/swin-s.py"]

model = dict(
    data_preprocessor=_base_.pixels,
    backbone=dict(_base_.backbone, out_indices=_base_.stages[-3:]),
    head=dict(in_channels=_base_.channels[-3:]),
)
