"""ALM in its published setting: BN-Inception, three levels, max voting.

The preprocessing is that of the public weights converted from Caffe: BGR, 0 to 255.
"""

model = dict(
    type="mmpretrain.ImageClassifier",
    data_preprocessor=dict(
        type="mmpretrain.ClsDataPreprocessor",
        mean=[104.0, 117.0, 128.0],
        std=[1.0, 1.0, 1.0],
        to_rgb=False,
    ),
    backbone=dict(
        type="BNInception",
        out_indices=(0, 1, 2),
        init_cfg=dict(
            type="Pretrained",
            checkpoint="http://data.lip6.fr/cadene/pretrainedmodels/bn_inception-52deb4733.pth",
        ),
    ),
    neck=dict(type="ALMNeck", in_channels=(320, 608, 1024), out_channels=256),
    head=dict(
        type="ALMHead",
        in_channels=256,
        num_levels=3,
        global_channels=1024,
        align_corners=True,
        voting="max",
        loss=dict(type="ALMLoss", form="corrected"),
    ),
)
