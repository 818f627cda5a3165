"""Swin-B, pre-trained by SOLIDER on LUPerson's pedestrians.

Google Drive cannot be downloaded from by a program; put the file of
https://drive.google.com/file/d/1uh7tO34tMf73MJfFqyFEGx42UBktTbZU
where ``checkpoint`` says. Source: https://github.com/tinyvision/SOLIDER.
"""

_base_ = "./swin-b.py"

backbone = dict(
    # For what SOLIDER adds after each patch merging, see SOLIDERLayout.
    stage_cfgs=dict(downsample_cfg=dict(bias=True)),
    init_cfg=dict(
        _delete_=True,
        type="Pretrained",
        checkpoint="data/weights/solider_swin_base.pth",
        layout=dict(type="SOLIDERLayout", semantic_weight=1.0),
    ),
)
