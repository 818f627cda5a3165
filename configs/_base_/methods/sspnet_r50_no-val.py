"""SSPNet on a fixed schedule, where there is no validation split."""

_base_ = [
    "../models/sspnet_r50.py",
    "../schedules/adam_cosine.py",
    "../runtime_ema.py",
]

protocol = "fixed-schedule"

# For the datasets' train_dataloader = dict(batch_size=50), as the official code.
auto_scale_lr = dict(base_batch_size=50)
