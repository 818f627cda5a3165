"""RAPv1: 33,268 training and 8,317 test images; the release has no val split."""

_base_ = "./person_crops.py"

schema = "rapv1"
dataset = dict(type="RAPv1", data_root="data/rapv1/", partition=0)

train_dataloader = dict(dataset=dict(split="trainval", **dataset))
test_dataloader = dict(dataset=dataset)

# The last checkpoint is tested: there is nothing to choose an earlier one on.
val_cfg = None
val_dataloader = None
val_evaluator = None
