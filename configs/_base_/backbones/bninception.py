"""BN-Inception, its public ImageNet weights, which were converted from Caffe.

The finest map has stride 8.
"""

# BGR from 0 to 255, as Caffe has it.
pixels = dict(mean=[104.0, 117.0, 128.0], std=[1.0, 1.0, 1.0], to_rgb=False)

backbone = dict(
    _delete_=True,
    type="BNInception",
    init_cfg=dict(
        type="Pretrained",
        checkpoint="http://data.lip6.fr/cadene/pretrainedmodels/bn_inception-52deb4733.pth",
    ),
)
stages = (0, 1, 2)
channels = (320, 608, 1024)
