"""ALM on RAPv1 with BN-Inception at 256x128."""

_base_ = [
    "../_base_/datasets/rapv1_256x128.py",
    "../_base_/methods/alm_bninception.py",
]

protocol = "fixed-schedule"  # the release has no validation split

model = dict(head=dict(schema=_base_.schema))
