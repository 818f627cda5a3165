"""The head of ``linear_clip-b16_pa100k.py`` on features that were cached before.

``tools/cache_features.py`` caches the features.
"""

_base_ = "./linear_clip-b16_pa100k.py"

cache = "data/features/clip-b16_pa100k"
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
)

reading = dict(num_workers=0, persistent_workers=False)  # a worker would cost more
train_dataloader = dict(reading, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(reading, dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(reading, dataset=dict(pipeline=test_pipeline))
