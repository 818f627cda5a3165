"""PETAzs: PETA without persons shared by training and test."""

_base_ = "./person_crops.py"

schema = "peta"
dataset = dict(type="PETAzs", data_root="data/peta/", partition=0)

train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
