"""What the datasets of person crops share: 256x192, train, val and test splits.

Augmentation as the Strong Baseline: pad 10, random crop, horizontal flip.
"""

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
    dataset=dict(split="train", pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="EvaluationSampler"),
    dataset=dict(split="val", pipeline=test_pipeline, test_mode=True),
)
test_dataloader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="EvaluationSampler"),
    dataset=dict(split="test", pipeline=test_pipeline, test_mode=True),
)

val_cfg = dict()
val_evaluator = dict(type="PARMetric")
test_cfg = dict()
test_evaluator = val_evaluator
