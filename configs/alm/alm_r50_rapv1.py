"""ALM on RAPv1 with ResNet-50 at 256x128."""

_base_ = [
    "../_base_/datasets/rapv1_256x128.py",
    "../_base_/methods/alm_r50.py",
]

protocol = "fixed-schedule"  # the release has no validation split

model = dict(head=dict(schema=_base_.schema))
