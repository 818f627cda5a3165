"""The Strong Baseline on a fixed schedule, where there is no validation split."""

_base_ = [
    "../models/baseline_r50.py",
    "../schedules/adam_cosine.py",
    "../default_runtime.py",
]

protocol = "fixed-schedule"
