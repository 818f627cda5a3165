"""SSPNet on PA-100K: trained on train, chosen on val with averaged weights, tested."""

_base_ = ["../_base_/datasets/pa100k.py", "../_base_/methods/sspnet_r50.py"]

model = dict(head=dict(schema=_base_.schema))
train_dataloader = dict(batch_size=50)
