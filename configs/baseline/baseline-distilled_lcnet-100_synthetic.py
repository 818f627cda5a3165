"""LCNet that learns from labels and from ALM with ResNet-18.

The teacher is trained first: tools/train.py configs/alm/alm_r18_synthetic.py
"""

_base_ = "./baseline_lcnet-100_synthetic.py"

default_hooks = dict(
    distillation=dict(
        type="DistillationHook",
        config="alm_r18_synthetic",
        checkpoint="work_dirs/alm_r18_synthetic",
        share=0.5,
    )
)
