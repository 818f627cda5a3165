"""Ablation: regions on their published levels (AFSS), without a place prior."""

_base_ = "./sspnet_r18_synthetic.py"

model = dict(neck=dict(ple=dict(_delete_=True, type="IdentityPLE")))
