"""Market-1501-attribute: 751 training and 750 test persons at 256x192; no val split.

Augmentation as the Strong Baseline: pad 10, random crop, horizontal flip.
"""

schema = "market1501"
data_root = "data/market1501/"
image_size = (192, 256)  # (W, H)

train_pipeline = [
    dict(type="LoadPersonImage"),
    dict(type="Resize", scale=image_size),
    dict(type="RandomCrop", crop_size=image_size[::-1], padding=10),
    dict(type="RandomFlip", prob=0.5, direction="horizontal"),
    dict(type="PackPARInputs"),
]
test_pipeline = [
    dict(type="LoadPersonImage"),
    dict(type="Resize", scale=image_size),
    dict(type="PackPARInputs"),
]

train_dataloader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(
        type="Market1501Attribute",
        data_root=data_root,
        split="trainval",
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="Market1501Attribute",
        data_root=data_root,
        split="test",
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="Market1501Attribute",
        data_root=data_root,
        split="test",
        pipeline=test_pipeline,
        test_mode=True,
    ),
)

val_evaluator = dict(type="PARMetric")
test_evaluator = val_evaluator
