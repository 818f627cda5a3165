"""Swin-S, mmpretrain's ImageNet weights."""

_base_ = "../pixels/imagenet.py"

backbone = dict(
    _delete_=True,
    type="mmpretrain.SwinTransformer",
    arch="small",
    drop_path_rate=0.3,
    # The last map, 8 cells high at 256 pixels, is narrower than the window of 7.
    pad_small_map=True,
    init_cfg=dict(
        type="Pretrained",
        checkpoint="https://download.openmmlab.com/mmclassification/v0/swin-transformer/swin_small_224_b16x64_300e_imagenet_20210615_110219-7f9d988b.pth",
        prefix="backbone",
    ),
)
stages = (0, 1, 2, 3)
channels = (96, 192, 384, 768)
