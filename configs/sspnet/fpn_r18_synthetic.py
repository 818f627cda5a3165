"""Ablation: a feature pyramid alone; all attributes are read from all of P3."""

_base_ = "./afss-fixed_r18_synthetic.py"

model = dict(
    regions=dict(_delete_=True, whole=dict(level=3, rows=(0.0, 1.0), groups=None))
)
