"""RAPv2: 50,957 training, 16,986 validation and 16,985 test images."""

_base_ = "./person_crops.py"

schema = "rapv2"
dataset = dict(type="RAPv2", data_root="data/rapv2/", partition=0)

train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
