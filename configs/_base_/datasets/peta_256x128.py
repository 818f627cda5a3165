"""PETA at 256x128."""

_base_ = "./person_crops_256x128.py"

schema = "peta"
dataset = dict(type="PETA", data_root="data/peta/", partition=0)

train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
