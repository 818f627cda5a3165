"""The Strong Baseline on Market-1501: fixed schedule on trainval, tested once."""

_base_ = [
    "../_base_/datasets/market1501.py",
    "../_base_/methods/baseline_r50_no-val.py",
]

model = dict(head=dict(schema=_base_.schema))
