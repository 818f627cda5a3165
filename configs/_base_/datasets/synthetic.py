"""SyntheticPAR: drawn pedestrians with PA-100K's attributes; nothing to download."""

schema = "pa100k"
image_size = (64, 128)  # (W, H)

train_pipeline = [
    dict(type="DrawSyntheticPerson"),
    dict(type="Resize", scale=image_size),
    dict(type="RandomFlip", prob=0.5, direction="horizontal"),
    dict(type="PackPARInputs"),
]
test_pipeline = [
    dict(type="DrawSyntheticPerson"),
    dict(type="Resize", scale=image_size),
    dict(type="PackPARInputs"),
]

train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(
        type="SyntheticPAR",
        split="train",
        num_samples=2500,
        cache="memory",
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="SyntheticPAR",
        split="val",
        num_samples=500,
        cache="memory",
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = dict(
    batch_size=64,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="SyntheticPAR",
        split="test",
        num_samples=1000,
        pipeline=test_pipeline,
        test_mode=True,
    ),
)

val_evaluator = dict(type="PARMetric")
test_evaluator = val_evaluator
