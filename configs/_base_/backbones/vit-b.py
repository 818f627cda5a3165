"""A plain ViT-B with a pyramid after ViTDet, mmpretrain's weights of DeiT.

The coarsest map is the ViT's own, of stride 16.
"""

_base_ = "../pixels/imagenet.py"

backbone = dict(
    _delete_=True,
    type="ViTPyramid",
    arch="deit-base",
    img_size=(256, 192),
    drop_path_rate=0.1,
    init_cfg=dict(
        type="Pretrained",
        checkpoint="https://download.openmmlab.com/mmclassification/v0/deit/deit-base_pt-16xb64_in1k_20220216-db63c16c.pth",
        prefix="backbone",
    ),
)
stages = (0, 1, 2)
channels = (192, 384, 768)
