"""PA-100K at 224x224, as image towers see it: bicubic, flipped at random."""

_base_ = "./person_crops.py"

schema = "pa100k"
image_size = (224, 224)  # (W, H)

resize = dict(
    type="Resize", scale=image_size, backend="pillow", interpolation="bicubic"
)
train_pipeline = [
    dict(type="LoadPersonImage"),
    resize,
    dict(type="RandomFlip", prob=0.5, direction="horizontal"),
    dict(type="PackPARInputs"),
]
test_pipeline = [dict(type="LoadPersonImage"), resize, dict(type="PackPARInputs")]

dataset = dict(type="PA100K", data_root="data/pa100k/")

train_dataloader = dict(dataset=dict(dataset, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(dataset, pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(dataset, pipeline=test_pipeline))
