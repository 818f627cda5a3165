"""SSPNet on Market-1501: averaged weights, fixed schedule on trainval, tested once."""

_base_ = ["../_base_/datasets/market1501.py", "../_base_/methods/sspnet_r50_no-val.py"]

model = dict(head=dict(schema=_base_.schema))
train_dataloader = dict(batch_size=50)
