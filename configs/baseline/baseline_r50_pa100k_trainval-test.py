"""The Strong Baseline on PA-100K by the papers' habit: train on trainval, pick on test.

For comparison with published figures only: choosing the checkpoint on the test split
flatters the result. ``baseline_r50_pa100k.py`` is the honest protocol.
"""

_base_ = "./baseline_r50_pa100k.py"

train_dataloader = dict(dataset=dict(split="trainval"))
val_dataloader = dict(dataset=dict(split="test"))
protocol = "paper"

# As the official code: the classifier starts as torch makes it.
model = dict(head=dict(init_cfg=None))
