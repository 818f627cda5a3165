"""MobileNetV3-Large, mmpretrain's ImageNet weights."""

_base_ = "../pixels/imagenet.py"

backbone = dict(
    _delete_=True,
    type="mmpretrain.MobileNetV3",
    arch="large",
    init_cfg=dict(
        type="Pretrained",
        checkpoint="https://download.openmmlab.com/mmclassification/v0/mobilenet_v3/mobilenet-v3-large_8xb128_in1k_20221114-0ed9ed9a.pth",
        prefix="backbone",
    ),
)
stages = (3, 6, 12, 16)
channels = (24, 40, 112, 960)
