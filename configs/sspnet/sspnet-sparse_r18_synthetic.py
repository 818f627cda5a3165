"""SSPNet with the sparse form of PLE: a quarter of the positions."""

_base_ = "./sspnet_r18_synthetic.py"

model = dict(neck=dict(ple=dict(type="SparsePLE", ratio=2)))
