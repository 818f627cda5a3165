"""The Strong Baseline on RAPv1: fixed schedule on trainval, tested once."""

_base_ = ["../_base_/datasets/rapv1.py", "../_base_/methods/baseline_r50_no-val.py"]

model = dict(head=dict(schema=_base_.schema))
