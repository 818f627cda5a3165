"""ALM on ResNet-50: three levels, max voting."""

_base_ = "./r50.py"

model = dict(
    type="PARClassifier",
    backbone=dict(out_indices=(1, 2, 3)),
    head=dict(
        type="ALMHead",
        in_channels=(512, 1024, 2048),
        channels=256,
        align_corners=True,
        voting="max",
        loss=dict(type="ALMLoss", form="corrected"),
    ),
)
