"""ConvNeXt-T, mmpretrain's ImageNet weights."""

_base_ = "../pixels/imagenet.py"

backbone = dict(
    _delete_=True,
    type="mmpretrain.ConvNeXt",
    arch="tiny",
    drop_path_rate=0.1,
    gap_before_final_norm=False,
    init_cfg=dict(
        type="Pretrained",
        checkpoint="https://download.openmmlab.com/mmclassification/v0/convnext/convnext-tiny_32xb128_in1k_20221207-998cf3e9.pth",
        prefix="backbone",
    ),
)
stages = (0, 1, 2, 3)
channels = (96, 192, 384, 768)
