"""ResNet-50-IBN-a, the authors' ImageNet weights."""

_base_ = "../pixels/imagenet.py"

backbone = dict(
    _delete_=True,
    type="ResNetIBN",
    depth=50,
    init_cfg=dict(
        type="Pretrained",
        checkpoint="https://github.com/XingangPan/IBN-Net/releases/download/v1.0/resnet50_ibn_a-d9d0bb7b.pth",
    ),
)
stages = (0, 1, 2, 3)
channels = (256, 512, 1024, 2048)
