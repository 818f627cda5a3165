"""ALM in its published setting: BN-Inception, three levels, max voting.

The preprocessing is that of the public weights converted from Caffe: BGR, 0 to 255.
"""

_base_ = "./alm_r50.py"

model = dict(
    data_preprocessor=dict(
        mean=[104.0, 117.0, 128.0], std=[1.0, 1.0, 1.0], to_rgb=False
    ),
    backbone=dict(
        _delete_=True,
        type="BNInception",
        out_indices=(0, 1, 2),
        init_cfg=dict(
            type="Pretrained",
            checkpoint="http://data.lip6.fr/cadene/pretrainedmodels/bn_inception-52deb4733.pth",
        ),
    ),
    head=dict(in_channels=(320, 608, 1024)),
)
