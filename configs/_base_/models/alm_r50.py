"""ALM on ResNet-50."""

_base_ = "./r50.py"

model = dict(
    backbone=dict(out_indices=(1, 2, 3)),
    neck=dict(type="ALMNeck", in_channels=(512, 1024, 2048), out_channels=256),
    head=dict(
        type="ALMHead",
        in_channels=256,
        num_levels=3,
        global_channels=2048,
        align_corners=True,
        voting="max",
        loss=dict(type="ALMLoss", form="corrected"),
    ),
)
