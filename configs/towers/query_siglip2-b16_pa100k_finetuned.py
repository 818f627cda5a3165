"""SigLIP 2 ViT-B/16 and its queries trained together, from a joined checkpoint.

``load_from`` is what ``tools/model_converters/join_tower.py`` wrote. Texts would not
fit the changed tower, so it has no text side.
"""

_base_ = [
    "../_base_/datasets/pa100k_224x224.py",
    "../_base_/models/siglip2_b16.py",
    "../_base_/schedules/adamw_finetune.py",
    "../_base_/default_runtime.py",
]

load_from = "joined.pth"

model = dict(
    backbone=dict(patches=True, frozen=False, init_cfg=None),
    head=dict(type="QueryPARHead", schema=_base_.schema),
)
