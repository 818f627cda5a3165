"""SSPNet on Market-1501: averaged weights, fixed schedule on trainval, tested once."""

_base_ = [
    "../_base_/datasets/market1501.py",
    "../_base_/models/sspnet_r50.py",
    "../_base_/schedules/adam_cosine.py",
    "../_base_/schedules/ema.py",
    "../_base_/default_runtime.py",
]

model = dict(head=dict(schema=_base_.schema))
train_dataloader = dict(batch_size=50)
custom_hooks = _base_.custom_hooks + _base_.ema
