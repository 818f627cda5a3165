"""The Strong Baseline on MSP60K, on scenes that training did not see.

A fixed schedule on trainval, tested once.
"""

_base_ = [
    "../_base_/datasets/msp60k_scenes.py",
    "../_base_/methods/baseline_r50_no-val.py",
]

model = dict(head=dict(schema=_base_.schema))
