"""The Strong Baseline on WIDER-Attribute: train on train, choose on val, test once."""

_base_ = ["../_base_/datasets/wider.py", "../_base_/methods/baseline_r50.py"]

model = dict(head=dict(schema=_base_.schema))
