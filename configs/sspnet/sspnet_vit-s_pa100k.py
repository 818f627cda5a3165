"""SSPNet on PA-100K with a plain ViT-S (DeiT).

All its maps have stride 16: the levels of the pyramid differ in depth, not in scale.
"""

_base_ = "./sspnet_r50_pa100k.py"

model = dict(
    backbone=dict(
        _delete_=True,
        type="mmpretrain.VisionTransformer",
        arch="deit-small",
        img_size=(256, 192),
        patch_size=16,
        drop_path_rate=0.1,
        out_type="featmap",
        out_indices=(2, 5, 8, 11),
        init_cfg=dict(
            type="Pretrained",
            checkpoint="https://download.openmmlab.com/mmclassification/v0/deit/deit-small_pt-4xb256_in1k_20220218-9425b9bb.pth",
            prefix="backbone",
        ),
    ),
    neck=dict(in_channels=(384, 384, 384, 384)),
)
