"""Person crops at 256x128, flipped at random and nothing else: the setting of ALM."""

_base_ = "./person_crops.py"

image_size = (128, 256)  # (W, H)

train_pipeline = [
    dict(type="LoadPersonImage"),
    dict(type="Resize", scale=image_size),
    dict(type="RandomFlip", prob=0.5, direction="horizontal"),
    dict(type="PackPARInputs"),
]
test_pipeline = [
    dict(type="LoadPersonImage"),
    dict(type="Resize", scale=image_size),
    dict(type="PackPARInputs"),
]

train_dataloader = dict(
    batch_size=32,
    drop_last=False,  # as the official code
    dataset=dict(pipeline=train_pipeline),
)
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
