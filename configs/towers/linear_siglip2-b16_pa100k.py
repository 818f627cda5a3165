"""A linear classifier on the image embedding of SigLIP 2 ViT-B/16, PA-100K.

The tower runs at each step; ``linear_siglip2-b16_pa100k_cached.py``
trains the same head much faster.
"""

_base_ = [
    "../_base_/datasets/pa100k_224x224.py",
    "../_base_/models/siglip2_b16.py",
    "../_base_/schedules/adam_features.py",
    "../_base_/default_runtime.py",
]

model = dict(head=dict(type="LinearPARHead", schema=_base_.schema))
