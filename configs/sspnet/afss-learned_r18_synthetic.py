"""Ablation: each region learns its level (AFSS), without a place prior."""

_base_ = "./sspnet-learned_r18_synthetic.py"

model = dict(neck=dict(ple=dict(_delete_=True, type="IdentityPLE")))
