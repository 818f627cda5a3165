"""Ablation: each region learns its level (AFSS), without a place prior."""

_base_ = ["./afss-fixed_r18_synthetic.py", "../_base_/schedules/learned_scales.py"]

model = dict(neck=dict(scale=dict(mode="learned")))
custom_hooks = _base_.custom_hooks + _base_.scale_annealing
optim_wrapper = dict(paramwise_cfg=_base_.scale_paramwise)
