"""The Strong Baseline on DukeMTMC: fixed schedule on trainval, tested once."""

_base_ = ["../_base_/datasets/dukemtmc.py", "../_base_/methods/baseline_r50_no-val.py"]

model = dict(head=dict(schema=_base_.schema))
