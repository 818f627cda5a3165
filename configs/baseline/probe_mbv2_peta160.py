"""The floor of the reduced benchmark: a linear probe of MobileNetV2's features."""

_base_ = "./baseline_mbv2_peta160.py"

model = dict(backbone=dict(frozen_stages=7, norm_eval=True))
optim_wrapper = dict(optimizer=dict(lr=3e-3))
