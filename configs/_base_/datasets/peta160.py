"""PETA at 128x64, the reduced benchmark; copies at most 160 pixels high will do."""

_base_ = "./peta.py"

image_size = (64, 128)  # (W, H)

train_pipeline = [
    dict(type="LoadPersonImage"),
    dict(type="Resize", scale=image_size),
    dict(type="RandomCrop", crop_size=image_size[::-1], padding=5),
    dict(type="RandomFlip", prob=0.5, direction="horizontal"),
    dict(type="PackPARInputs"),
]
test_pipeline = [
    dict(type="LoadPersonImage"),
    dict(type="Resize", scale=image_size),
    dict(type="PackPARInputs"),
]

train_dataloader = dict(
    batch_size=32, num_workers=1, dataset=dict(pipeline=train_pipeline)
)
val_dataloader = dict(num_workers=1, dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(num_workers=1, dataset=dict(pipeline=test_pipeline))
