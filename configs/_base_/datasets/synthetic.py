"""SyntheticPAR: drawn pedestrians with PA-100K's attributes; nothing to download."""

_base_ = "./person_crops.py"

schema = "pa100k"
image_size = (64, 128)  # (W, H)

train_pipeline = [
    dict(type="DrawSyntheticPerson", keep=True),
    dict(type="Resize", scale=image_size),
    dict(type="RandomFlip", prob=0.5, direction="horizontal"),
    dict(type="PackPARInputs"),
]
test_pipeline = [
    dict(type="DrawSyntheticPerson"),
    dict(type="Resize", scale=image_size),
    dict(type="PackPARInputs"),
]
val_pipeline = [dict(type="DrawSyntheticPerson", keep=True), *test_pipeline[1:]]

# Persons are drawn once and kept: a worker would take a core from the layers. Workers
# need persistent_workers=True, too, or each epoch draws all anew.
reading = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(
    reading,
    batch_size=16,
    dataset=dict(type="SyntheticPAR", num_samples=2500, pipeline=train_pipeline),
)
val_dataloader = dict(
    reading,
    dataset=dict(type="SyntheticPAR", num_samples=500, pipeline=val_pipeline),
)
test_dataloader = dict(
    num_workers=1,
    dataset=dict(type="SyntheticPAR", num_samples=1000, pipeline=test_pipeline),
)
