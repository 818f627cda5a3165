"""Ablation: a feature pyramid alone; all attributes are read from all of P3."""

_base_ = "./sspnet_r18_synthetic.py"

regions = dict(whole=dict(level=3, rows=(0.0, 1.0), groups=None))

model = dict(
    neck=dict(
        regions=dict(_delete_=True, **regions), ple=dict(_delete_=True, kind="none")
    ),
    head=dict(regions=dict(_delete_=True, **regions)),
)
