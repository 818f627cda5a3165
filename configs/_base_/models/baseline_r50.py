"""The Strong Baseline: ResNet-50, global average pooling, one linear classifier."""

_base_ = "./r50.py"

model = dict(
    backbone=dict(out_indices=(3,)),
    neck=dict(type="mmpretrain.GlobalAveragePooling"),
    head=dict(
        type="LinearPARHead",
        in_channels=2048,
        loss=dict(type="WeightedBCELoss", weighting="exponential"),
    ),
)

# As the official code: several processes share the statistics of batch normalization.
sync_bn = "torch"
