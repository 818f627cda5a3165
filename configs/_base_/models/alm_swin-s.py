"""ALM on Swin-S."""

model = dict(
    type="mmpretrain.ImageClassifier",
    data_preprocessor=dict(
        type="mmpretrain.ClsDataPreprocessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        to_rgb=True,
    ),
    backbone=dict(
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
    neck=dict(type="ALMNeck", in_channels=(192, 384, 768), out_channels=256),
    head=dict(
        type="ALMHead",
        in_channels=256,
        num_levels=3,
        global_channels=768,
        align_corners=True,
        voting="max",
        loss=dict(type="ALMLoss", form="corrected"),
    ),
)
