"""Market-1501-attribute: 751 training and 750 test persons; no val split."""

_base_ = "./person_crops.py"

schema = "market1501"
dataset = dict(type="Market1501Attribute", data_root="data/market1501/")

train_dataloader = dict(dataset=dict(split="trainval", **dataset))
test_dataloader = dict(dataset=dataset)

# The last checkpoint is tested: there is nothing to choose an earlier one on.
val_cfg = None
val_dataloader = None
val_evaluator = None
