"""SSPNet on PA-100K with ConvNeXt-T."""

_base_ = "./sspnet_r50_pa100k.py"

model = dict(
    backbone=dict(
        _delete_=True,
        type="mmpretrain.ConvNeXt",
        arch="tiny",
        drop_path_rate=0.1,
        out_indices=(0, 1, 2, 3),
        gap_before_final_norm=False,
        init_cfg=dict(
            type="Pretrained",
            checkpoint="https://download.openmmlab.com/mmclassification/v0/convnext/convnext-tiny_32xb128_in1k_20221207-998cf3e9.pth",
            prefix="backbone",
        ),
    ),
    neck=dict(in_channels=(96, 192, 384, 768)),
)
