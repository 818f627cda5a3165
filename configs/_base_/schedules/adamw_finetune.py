"""AdamW at 1e-4, a tenth for the backbone, annealed by a cosine over 10 epochs."""

_base_ = "./adam_cosine.py"

optim_wrapper = dict(
    # What a custom key names keeps its decay, so it is the head that has one.
    optimizer=dict(type="AdamW", lr=1e-5, weight_decay=0.05),
    paramwise_cfg=dict(
        custom_keys=dict(head=dict(lr_mult=10)),
        norm_decay_mult=0,
        bias_decay_mult=0,
    ),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [
    _base_.param_scheduler[0],
    dict(_base_.param_scheduler[1], T_max=9, end=10),
]
train_cfg = dict(max_epochs=10)
