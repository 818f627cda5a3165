"""For checkpoints of ALM's released code, converted by tools/model_converters.

That code fine-tuned on RGB pixels with the mean and deviation of ImageNet, although
its initial weights came from Caffe, and with the loss form ``official``.
"""

_base_ = "./alm_bninception_rapv1.py"

model = dict(
    data_preprocessor=dict(
        mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True
    ),
    head=dict(loss=dict(form="official")),
)
