"""The Strong Baseline on RAPv2, trained on train, chosen on val, tested once."""

_base_ = ["../_base_/datasets/rapv2.py", "../_base_/methods/baseline_r50.py"]

model = dict(head=dict(schema=_base_.schema))
