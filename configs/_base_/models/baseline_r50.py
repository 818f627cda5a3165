"""The Strong Baseline: ResNet-50, global average pooling, one linear classifier."""

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
        out_indices=(3,),
        style="pytorch",
        init_cfg=dict(type="Pretrained", checkpoint="torchvision://resnet50"),
    ),
    neck=dict(type="mmpretrain.GlobalAveragePooling"),
    head=dict(
        type="LinearPARHead",
        in_channels=2048,
        loss=dict(type="WeightedBCELoss", weighting="exponential"),
    ),
)
