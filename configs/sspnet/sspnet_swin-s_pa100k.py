"""SSPNet on PA-100K with Swin-S."""

_base_ = "./sspnet_r50_pa100k.py"

model = dict(
    backbone=dict(
        _delete_=True,
        type="mmpretrain.SwinTransformer",
        arch="small",
        img_size=(256, 192),
        drop_path_rate=0.3,
        # The last map, 8x6 at 256x192, is narrower than the window of 7.
        pad_small_map=True,
        out_indices=(0, 1, 2, 3),
        init_cfg=dict(
            type="Pretrained",
            checkpoint="https://download.openmmlab.com/mmclassification/v0/swin-transformer/swin_small_224_b16x64_300e_imagenet_20210615_110219-7f9d988b.pth",
            prefix="backbone",
        ),
    ),
    neck=dict(in_channels=(96, 192, 384, 768)),
)
