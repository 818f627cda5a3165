"""The Strong Baseline on RAPzs, trained on train, chosen on val, tested once."""

_base_ = [
    "../_base_/datasets/rapzs.py",
    "../_base_/models/baseline_r50.py",
    "../_base_/schedules/adam_plateau.py",
    "../_base_/default_runtime.py",
]

model = dict(head=dict(schema=_base_.schema))
