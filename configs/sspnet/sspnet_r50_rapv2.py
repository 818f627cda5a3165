"""SSPNet on RAPv2: averaged weights, chosen on val, tested once."""

_base_ = [
    "../_base_/datasets/rapv2.py",
    "../_base_/models/sspnet_r50.py",
    "../_base_/schedules/adam_plateau.py",
    "../_base_/schedules/ema.py",
    "../_base_/default_runtime.py",
]

model = dict(head=dict(schema=_base_.schema))
train_dataloader = dict(batch_size=50)
train_cfg = dict(max_epochs=100)
custom_hooks = _base_.custom_hooks + _base_.ema
