"""SSPNet in the setting of its released code: ResNet-50, P1 to P3, four regions."""

# Region -> pyramid level (the scale prior), rows in fractions of the image height (the
# place prior), and the attribute groups that are read there; None reads all others.
regions = dict(
    head=dict(level=1, rows=(0.0, 0.375), groups=("head",)),
    torso=dict(level=2, rows=(0.125, 0.625), groups=("upper",)),
    bottom=dict(level=2, rows=(0.5, 1.0), groups=("lower", "foot")),
    whole=dict(level=3, rows=(0.0, 1.0), groups=None),
)

model = dict(
    type="PARClassifier",
    data_preprocessor=dict(
        type="mmpretrain.ClsDataPreprocessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        to_rgb=True,
    ),
    backbone=dict(
        type="mmpretrain.ResNet",
        depth=50,
        out_indices=(0, 1, 2, 3),
        style="pytorch",
        init_cfg=dict(type="Pretrained", checkpoint="torchvision://resnet50"),
    ),
    neck=dict(
        type="SSPNetNeck",
        in_channels=(256, 512, 1024, 2048),
        out_channels=256,
        scale=dict(mode="fixed"),
        ple=dict(kind="block", num_points=3),
        regions=regions,
    ),
    head=dict(
        type="SSPNetHead",
        in_channels=256,
        pool_grids=(1, 2),
        dropout=0.1,
        regions=regions,
        loss=dict(type="WeightedBCELoss", weighting="exponential"),
    ),
)
