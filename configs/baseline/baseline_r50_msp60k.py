"""The Strong Baseline on MSP60K, trained on train, chosen on val, tested once."""

_base_ = ["../_base_/datasets/msp60k.py", "../_base_/methods/baseline_r50.py"]

model = dict(head=dict(schema=_base_.schema))
