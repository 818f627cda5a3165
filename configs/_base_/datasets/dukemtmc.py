"""DukeMTMC-attribute: 702 training and 1,110 test persons; no val split."""

_base_ = "./person_crops.py"

schema = "dukemtmc"
dataset = dict(type="DukeMTMCAttribute", data_root="data/dukemtmc/")

train_dataloader = dict(dataset=dict(split="trainval", **dataset))
test_dataloader = dict(dataset=dataset)

# The last checkpoint is tested: there is nothing to choose an earlier one on.
val_cfg = None
val_dataloader = None
val_evaluator = None
