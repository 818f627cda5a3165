"""Adam from random weights in a few hundred iterations, for SyntheticPAR."""

_base_ = "./adam_cosine.py"

# Where the processor has instructions for bfloat16, else in float32.
optim_wrapper = dict(
    type="BFloat16OptimWrapper", optimizer=dict(type="MaybeFusedAdam", lr=4e-4)
)
param_scheduler = [
    _base_.param_scheduler[0],
    dict(_base_.param_scheduler[1], T_max=7, end=8),
]
train_cfg = dict(max_epochs=8, val_interval=2)
auto_scale_lr = dict(base_batch_size=16)
