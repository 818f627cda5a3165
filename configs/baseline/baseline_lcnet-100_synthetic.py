"""The Strong Baseline with LCNet from random weights on SyntheticPAR."""

_base_ = ["./baseline_r18_synthetic.py", "../_base_/backbones/lcnet-100.py"]

model = dict(
    backbone=dict(_base_.backbone, out_indices=_base_.stages[-1:], init_cfg=None),
    head=dict(in_channels=_base_.channels[-1]),
)
# Without shortcuts around its blocks it hardly learns at the others' 4e-4.
optim_wrapper = dict(optimizer=dict(lr=2e-3))
