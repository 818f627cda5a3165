"""ALM on ResNet-50."""

model = dict(
    type="mmpretrain.ImageClassifier",
    data_preprocessor=dict(
        type="mmpretrain.ClsDataPreprocessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        to_rgb=True,
    ),
    backbone=dict(
        type="mmpretrain.ResNet",
        depth=50,
        out_indices=(1, 2, 3),
        style="pytorch",
        init_cfg=dict(type="Pretrained", checkpoint="torchvision://resnet50"),
    ),
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
