"""A plain ViT-B with a pyramid after ViTDet, pre-trained by HAP on pedestrians.

Google Drive cannot be downloaded from by a program; put the file of
https://drive.google.com/file/d/1_7EKcBKMwDWx5xLv5fK0_HcUB-0Yqa0t
where ``checkpoint`` says. Source: https://github.com/junkunyuan/HAP.
"""

_base_ = "./vit-b.py"

backbone = dict(
    init_cfg=dict(
        _delete_=True,
        type="Pretrained",
        checkpoint="data/weights/hap_vit_base.pth",
        # Trained at 256x128.
        layout=dict(type="TimmViTLayout", grid=(16, 8)),
    ),
)
