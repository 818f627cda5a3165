"""ALM on PA-100K with BN-Inception at 256x128."""

_base_ = [
    "../_base_/datasets/pa100k_256x128.py",
    "../_base_/methods/alm_bninception.py",
]

model = dict(head=dict(schema=_base_.schema))
