"""A query per attribute on the patches of CLIP ViT-B/16, PA-100K.

The tower runs at each step; ``query_clip-b16_pa100k_cached.py``
trains the same head much faster.
"""

_base_ = [
    "../_base_/datasets/pa100k_224x224.py",
    "../_base_/models/clip_b16.py",
    "../_base_/schedules/adam_features.py",
    "../_base_/default_runtime.py",
]

model = dict(
    backbone=dict(patches=True, text=True),
    head=dict(type="QueryPARHead", schema=_base_.schema),
)
