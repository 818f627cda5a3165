"""ResNet-101, torchvision's ImageNet weights."""

_base_ = "../pixels/imagenet.py"

backbone = dict(
    _delete_=True,
    type="mmpretrain.ResNet",
    depth=101,
    init_cfg=dict(type="Pretrained", checkpoint="torchvision://resnet101"),
)
stages = (0, 1, 2, 3)
channels = (256, 512, 1024, 2048)
