"""PETA: 9,500 training, 1,900 validation and 7,600 test images."""

_base_ = "./person_crops.py"

schema = "peta"
dataset = dict(type="PETA", data_root="data/peta/", partition=0)

train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
