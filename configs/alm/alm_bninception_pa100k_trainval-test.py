"""ALM on PA-100K by the papers' habit: trained on trainval, chosen on test.

With the loss and the preprocessing of the official code, for comparison with published
figures only: choosing the checkpoint on the test split flatters the result.
``alm_bninception_pa100k.py`` is the honest protocol.
"""

_base_ = "./alm_bninception_pa100k_released.py"

train_dataloader = dict(dataset=dict(split="trainval"))
val_dataloader = dict(dataset=dict(split="test"))
protocol = "paper"
