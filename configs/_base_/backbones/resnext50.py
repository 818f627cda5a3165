"""ResNeXt-50 32x4d, mmpretrain's ImageNet weights."""

_base_ = "../pixels/imagenet.py"

backbone = dict(
    _delete_=True,
    type="mmpretrain.ResNeXt",
    depth=50,
    groups=32,
    width_per_group=4,
    init_cfg=dict(
        type="Pretrained",
        checkpoint="https://download.openmmlab.com/mmclassification/v0/resnext/resnext50_32x4d_b32x8_imagenet_20210429-56066e27.pth",
        prefix="backbone",
    ),
)
stages = (0, 1, 2, 3)
channels = (256, 512, 1024, 2048)
