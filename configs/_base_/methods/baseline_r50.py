"""The Strong Baseline as it is trained where there is a validation split."""

_base_ = [
    "../models/baseline_r50.py",
    "../schedules/adam_plateau.py",
    "../default_runtime.py",
]
