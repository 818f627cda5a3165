"""SSPNet on PETAzs: averaged weights, chosen on val, tested once."""

_base_ = ["../_base_/datasets/petazs.py", "../_base_/methods/sspnet_r50.py"]

model = dict(head=dict(schema=_base_.schema))
train_dataloader = dict(batch_size=50)
