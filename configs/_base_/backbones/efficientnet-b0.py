"""EfficientNet-B0, Google's ImageNet weights."""

_base_ = "../pixels/imagenet.py"

backbone = dict(
    _delete_=True,
    type="mmpretrain.EfficientNet",
    arch="b0",
    init_cfg=dict(
        type="Pretrained",
        checkpoint="https://download.openmmlab.com/mmclassification/v0/efficientnet/efficientnet-b0_3rdparty_8xb32_in1k_20220119-a7e2a0b1.pth",
        prefix="backbone",
    ),
)
stages = (2, 3, 4, 6)
channels = (24, 40, 112, 1280)
