"""RAPzs: RAPv2 without persons shared by training and test."""

_base_ = "./person_crops.py"

schema = "rapzs"
dataset = dict(type="RAPzs", data_root="data/rapv2/", partition=0)

train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
