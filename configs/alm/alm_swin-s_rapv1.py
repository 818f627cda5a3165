"""ALM on RAPv1 with Swin-S at 256x128."""

_base_ = [
    "../_base_/datasets/rapv1_256x128.py",
    "../_base_/methods/alm_swin-s.py",
]

model = dict(head=dict(schema=_base_.schema))
