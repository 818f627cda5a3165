"""A plain ViT-S with a pyramid after ViTDet, mmpretrain's weights of DeiT.

The coarsest map is the ViT's own, of stride 16.
"""

_base_ = "../pixels/imagenet.py"

backbone = dict(
    _delete_=True,
    type="ViTPyramid",
    arch="deit-small",
    img_size=(256, 192),
    drop_path_rate=0.1,
    init_cfg=dict(
        type="Pretrained",
        checkpoint="https://download.openmmlab.com/mmclassification/v0/deit/deit-small_pt-4xb256_in1k_20220218-9425b9bb.pth",
        prefix="backbone",
    ),
)
stages = (0, 1, 2)
channels = (96, 192, 384)
