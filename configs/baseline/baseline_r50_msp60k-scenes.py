"""The Strong Baseline on MSP60K, on scenes that training did not see.

A fixed schedule on trainval, tested once.
"""

_base_ = [
    "../_base_/datasets/msp60k_scenes.py",
    "../_base_/models/baseline_r50.py",
    "../_base_/schedules/adam_cosine.py",
    "../_base_/default_runtime.py",
]

model = dict(head=dict(schema=_base_.schema))
