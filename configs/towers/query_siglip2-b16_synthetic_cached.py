"""The head of ``query_siglip2-b16_synthetic.py`` on features that were cached before.

Queries begin as the embeddings of prompts. ``tools/cache_features.py`` caches the
features.
"""

_base_ = "./query_siglip2-b16_synthetic.py"

cache = "data/features/siglip2-b16_synthetic_patches"
tower = dict(
    backbone=_base_.model.backbone,
    data_preprocessor=_base_.model.data_preprocessor,
    pipeline=_base_.test_pipeline,
)
train_pipeline = [
    dict(type="LoadFeatures", cache=cache, tower=tower),
    dict(type="PackPARInputs"),
]
test_pipeline = train_pipeline

model = dict(
    data_preprocessor=dict(_delete_=True, type="mmpretrain.ClsDataPreprocessor"),
    backbone=dict(_delete_=True, type="CachedFeatures", cache=cache),
    head=dict(
        init_cfg=[
            dict(type="Normal", layer="Linear", std=0.001),
            dict(type="TextQueries", file=f"{cache}/texts.npz"),
        ]
    ),
)

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(_base_.reading, dataset=dict(pipeline=test_pipeline))
