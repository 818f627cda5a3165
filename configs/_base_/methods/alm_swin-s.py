"""ALM on Swin-S with the published schedule; for the datasets at 256x128."""

_base_ = [
    "../models/alm_swin-s.py",
    "../schedules/adam_step.py",
    "../default_runtime.py",
]
