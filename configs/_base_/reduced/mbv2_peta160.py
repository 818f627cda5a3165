"""The reduced benchmark of real persons: MobileNetV2 on PETA at 128x64, 8 epochs.

For a CPU with two cores. A config adds a method's model with ``mobilenet`` as the
backbone. Where the weights come from is said in docs/results.md.
"""

_base_ = [
    "../datasets/peta160.py",
    "../schedules/adam_synthetic.py",
    "../default_runtime.py",
]

mobilenet = dict(
    _delete_=True,
    type="mmpretrain.MobileNetV2",
    init_cfg=dict(
        type="Pretrained",
        checkpoint="data/weights/mobilenet_v2_imagenet.pth",
        prefix="backbone",
    ),
)
auto_scale_lr = dict(base_batch_size=32)
# On a CPU, depthwise convolutions lose by bfloat16 and are 1.3 to 1.5 times faster in
# channels_last.
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(lr=6e-4))
channels_last = True
