"""DukeMTMC-attribute: 702 training and 1,110 test persons at 256x192; no val split.

Augmentation as the Strong Baseline: pad 10, random crop, horizontal flip.
"""

schema = "dukemtmc"
data_root = "data/dukemtmc/"
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
        type="DukeMTMCAttribute",
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
        type="DukeMTMCAttribute",
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
        type="DukeMTMCAttribute",
        data_root=data_root,
        split="test",
        pipeline=test_pipeline,
        test_mode=True,
    ),
)

val_evaluator = dict(type="PARMetric")
test_evaluator = val_evaluator
