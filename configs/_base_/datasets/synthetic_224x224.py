"""SyntheticPAR at 224x224, as image towers see it: bicubic, flipped at random."""

_base_ = "./synthetic.py"

image_size = (224, 224)  # (W, H)

resize = dict(
    type="Resize", scale=image_size, backend="pillow", interpolation="bicubic"
)
train_pipeline = [
    dict(type="DrawSyntheticPerson", keep=True),
    resize,
    dict(type="RandomFlip", prob=0.5, direction="horizontal"),
    dict(type="PackPARInputs"),
]
test_pipeline = [dict(type="DrawSyntheticPerson"), resize, dict(type="PackPARInputs")]

train_dataloader = dict(batch_size=64, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
