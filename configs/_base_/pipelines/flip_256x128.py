"""Pictures at 256x128, flipped at random and nothing else: the setting of ALM.

Give them to a data set's config:
``train_dataloader = dict(dataset=dict(pipeline=_base_.flip_train_pipeline))``.
"""

flip_image_size = (128, 256)  # (W, H)

flip_train_pipeline = [
    dict(type="LoadPersonImage"),
    dict(type="Resize", scale=flip_image_size),
    dict(type="RandomFlip", prob=0.5, direction="horizontal"),
    dict(type="PackPARInputs"),
]
flip_test_pipeline = [
    dict(type="LoadPersonImage"),
    dict(type="Resize", scale=flip_image_size),
    dict(type="PackPARInputs"),
]
