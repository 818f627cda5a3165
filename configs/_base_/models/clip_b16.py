"""The image tower of CLIP ViT-B/16, DataComp-XL weights, frozen; a head is added."""

model = dict(
    type="PARClassifier",
    data_preprocessor=dict(
        type="mmpretrain.ClsDataPreprocessor",
        mean=[122.7709383, 116.7460125, 104.09373615],
        std=[68.5005327, 66.6321579, 70.32316305],
        to_rgb=True,
    ),
    backbone=dict(
        type="OpenCLIPTower",
        model="ViT-B-16",
        init_cfg=dict(
            type="Pretrained", checkpoint="open-clip://ViT-B-16/datacomp_xl_s13b_b90k"
        ),
    ),
    head=dict(
        in_channels=512, loss=dict(type="WeightedBCELoss", weighting="exponential")
    ),
)
