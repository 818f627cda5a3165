"""LCNet, timm's ImageNet weights; ``pip install timm``."""

_base_ = "../pixels/imagenet.py"

backbone = dict(
    _delete_=True,
    type="TimmFeatures",
    model_name="lcnet_100",
    init_cfg=dict(
        type="Pretrained",
        checkpoint="https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-weights/lcnet_100-a929038c.pth",
        layout=dict(type="TimmLayout"),
    ),
)
stages = (1, 2, 3, 4)
channels = (64, 128, 256, 512)
