"""HRNet-W18, the authors' ImageNet weights from timm; ``pip install timm``.

All resolutions are computed whatever is read, so on several GPUs a method that reads
fewer than four maps needs ``find_unused_parameters = True``.
"""

_base_ = "../pixels/imagenet.py"

backbone = dict(
    _delete_=True,
    type="TimmFeatures",
    model_name="hrnet_w18",
    init_cfg=dict(
        type="Pretrained",
        checkpoint="https://huggingface.co/timm/hrnet_w18.ms_aug_in1k/resolve/main/pytorch_model.bin",
        layout=dict(type="TimmLayout"),
    ),
)
stages = (1, 2, 3, 4)
channels = (128, 256, 512, 1024)
