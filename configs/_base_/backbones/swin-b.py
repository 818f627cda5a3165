"""Swin-B, mmpretrain's ImageNet weights."""

_base_ = "../pixels/imagenet.py"

backbone = dict(
    _delete_=True,
    type="mmpretrain.SwinTransformer",
    arch="base",
    drop_path_rate=0.5,
    # The last map, 8 cells high at 256 pixels, is narrower than the window of 7.
    pad_small_map=True,
    init_cfg=dict(
        type="Pretrained",
        checkpoint="https://download.openmmlab.com/mmclassification/v0/swin-transformer/swin_base_224_b16x64_300e_imagenet_20210616_190742-93230b0d.pth",
        prefix="backbone",
    ),
)
stages = (0, 1, 2, 3)
channels = (128, 256, 512, 1024)
