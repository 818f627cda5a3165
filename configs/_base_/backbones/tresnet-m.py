"""TResNet-M, the authors' ImageNet weights from timm; ``pip install timm``."""

# RGB from 0 to 1.
pixels = dict(mean=[0.0, 0.0, 0.0], std=[255.0, 255.0, 255.0], to_rgb=True)

backbone = dict(
    _delete_=True,
    type="TimmFeatures",
    model_name="tresnet_m",
    init_cfg=dict(
        type="Pretrained",
        checkpoint="https://huggingface.co/timm/tresnet_m.miil_in1k/resolve/main/pytorch_model.bin",
        layout=dict(type="TimmLayout"),
    ),
)
stages = (1, 2, 3, 4)
channels = (64, 128, 1024, 2048)
