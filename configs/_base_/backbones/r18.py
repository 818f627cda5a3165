"""ResNet-18, torchvision's ImageNet weights."""

_base_ = "../pixels/imagenet.py"

backbone = dict(
    _delete_=True,
    type="mmpretrain.ResNet",
    depth=18,
    init_cfg=dict(type="Pretrained", checkpoint="torchvision://resnet18"),
)
stages = (0, 1, 2, 3)
channels = (64, 128, 256, 512)
