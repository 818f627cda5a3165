"""ALM on ResNet-50 with the published schedule; for the datasets at 256x128."""

_base_ = [
    "../models/alm_r50.py",
    "../schedules/adam_step.py",
    "../default_runtime.py",
]
