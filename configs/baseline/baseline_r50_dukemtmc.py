"""The Strong Baseline on DukeMTMC: fixed schedule on trainval, tested once."""

_base_ = [
    "../_base_/datasets/dukemtmc.py",
    "../_base_/models/baseline_r50.py",
    "../_base_/schedules/adam_cosine.py",
    "../_base_/default_runtime.py",
]

model = dict(head=dict(schema=_base_.schema))
