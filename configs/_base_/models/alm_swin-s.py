"""ALM on Swin-S: three levels, max voting."""

_base_ = "./alm_r50.py"

model = dict(
    backbone=dict(
        _delete_=True,
        type="mmpretrain.SwinTransformer",
        arch="small",
        img_size=(256, 128),
        drop_path_rate=0.3,
        # The last map, 8x4 at 256x128, is smaller than the window of 7.
        pad_small_map=True,
        out_indices=(1, 2, 3),
        init_cfg=dict(
            type="Pretrained",
            checkpoint="https://download.openmmlab.com/mmclassification/v0/swin-transformer/swin_small_224_b16x64_300e_imagenet_20210615_110219-7f9d988b.pth",
            prefix="backbone",
        ),
    ),
    head=dict(in_channels=(192, 384, 768)),
)
