"""SSPNet of which each region learns its level, with the block form of PLE."""

_base_ = ["./sspnet_r18_synthetic.py", "../_base_/schedules/learned_scales.py"]

model = dict(neck=dict(scale=dict(mode="learned")))
custom_hooks = _base_.custom_hooks + _base_.scale_annealing
optim_wrapper = dict(paramwise_cfg=_base_.scale_paramwise)
