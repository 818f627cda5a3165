"""MobileNetV3-Small, mmpretrain's ImageNet weights."""

_base_ = "../pixels/imagenet.py"

backbone = dict(
    _delete_=True,
    type="mmpretrain.MobileNetV3",
    arch="small",
    init_cfg=dict(
        type="Pretrained",
        checkpoint="https://download.openmmlab.com/mmclassification/v0/mobilenet_v3/mobilenet-v3-small_8xb128_in1k_20221114-bd1bfcde.pth",
        prefix="backbone",
    ),
)
stages = (1, 3, 8, 12)
channels = (16, 24, 48, 576)
