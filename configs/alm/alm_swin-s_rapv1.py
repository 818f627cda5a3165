"""ALM on RAPv1 with Swin-S at 256x128."""

_base_ = [
    "../_base_/datasets/rapv1.py",
    "../_base_/pipelines/flip_256x128.py",
    "../_base_/models/alm_swin-s.py",
    "../_base_/schedules/adam_step.py",
    "../_base_/default_runtime.py",
]

image_size = _base_.flip_image_size
model = dict(head=dict(schema=_base_.schema))
train_dataloader = dict(
    batch_size=32,
    drop_last=False,  # as the official code
    dataset=dict(pipeline=_base_.flip_train_pipeline),
)
test_dataloader = dict(dataset=dict(pipeline=_base_.flip_test_pipeline))
