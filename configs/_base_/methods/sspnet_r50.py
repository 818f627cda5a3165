"""SSPNet as it is trained where there is a validation split: averaged weights."""

_base_ = [
    "../models/sspnet_r50.py",
    "../schedules/adam_plateau.py",
    "../runtime_ema.py",
]

train_cfg = dict(max_epochs=100)

# For the datasets' train_dataloader = dict(batch_size=50), as the official code.
auto_scale_lr = dict(base_batch_size=50)
