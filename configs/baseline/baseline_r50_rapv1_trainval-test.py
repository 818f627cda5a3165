"""The Strong Baseline on RAPv1, by the papers' habit: there is no val split."""

_base_ = [
    "../_base_/datasets/rapv1.py",
    "../_base_/models/baseline_r50.py",
    "../_base_/schedules/adam_plateau.py",
    "../_base_/default_runtime.py",
]

model = dict(head=dict(schema=_base_.schema))
