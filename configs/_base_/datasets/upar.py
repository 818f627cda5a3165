"""UPAR: PA-100K, PETA, RAPv2 and Market-1501 under one labelling."""

_base_ = "./person_crops.py"

schema = "upar"
dataset = dict(type="UPAR", data_root="data/", partition=0)

train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
