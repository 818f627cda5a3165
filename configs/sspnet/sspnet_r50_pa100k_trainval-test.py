"""SSPNet on PA-100K by the papers' habit: trained on trainval, chosen on test.

For comparison with published figures only: choosing the checkpoint on the test split
flatters the result. ``sspnet_r50_pa100k.py`` is the honest protocol.
"""

_base_ = "./sspnet_r50_pa100k.py"

train_dataloader = dict(dataset=dict(split="trainval"))
val_dataloader = dict(dataset=dict(split="test"))
protocol = "paper"

# As the official code: where PLE samples and what the neck starts from.
model = dict(
    neck=dict(ple=dict(grid_convention="official"), init_cfg=dict(type="SSPNetInit"))
)
