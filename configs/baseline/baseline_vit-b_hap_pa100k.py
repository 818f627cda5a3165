"""The Strong Baseline on PA-100K with ViT-B from HAP's pedestrian weights."""

_base_ = ["./baseline_r50_pa100k.py", "../_base_/backbones/vit-b_hap.py"]

model = dict(
    data_preprocessor=_base_.pixels,
    backbone=dict(_base_.backbone, out_indices=_base_.stages[-1:]),
    head=dict(in_channels=_base_.channels[-1]),
)
