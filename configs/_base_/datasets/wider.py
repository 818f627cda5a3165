"""WIDER-Attribute: 57,524 persons cut out of 13,789 images of scenes."""

_base_ = "./person_crops.py"

schema = "wider"
dataset = dict(type="WIDERAttribute", data_root="data/wider/")

train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
