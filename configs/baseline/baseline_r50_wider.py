"""The Strong Baseline on WIDER-Attribute: train on train, choose on val, test once."""

_base_ = [
    "../_base_/datasets/wider.py",
    "../_base_/models/baseline_r50.py",
    "../_base_/schedules/adam_plateau.py",
    "../_base_/default_runtime.py",
]

model = dict(head=dict(schema=_base_.schema))
