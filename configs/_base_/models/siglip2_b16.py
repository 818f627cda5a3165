"""The image tower of SigLIP 2 ViT-B/16, WebLI weights, frozen; a head is added."""

model = dict(
    type="PARClassifier",
    data_preprocessor=dict(
        type="mmpretrain.ClsDataPreprocessor",
        mean=[127.5, 127.5, 127.5],
        std=[127.5, 127.5, 127.5],
        to_rgb=True,
    ),
    backbone=dict(
        type="OpenCLIPTower",
        model="ViT-B-16-SigLIP2",
        init_cfg=dict(
            type="Pretrained", checkpoint="open-clip://ViT-B-16-SigLIP2/webli"
        ),
    ),
    head=dict(
        in_channels=768, loss=dict(type="WeightedBCELoss", weighting="exponential")
    ),
)
