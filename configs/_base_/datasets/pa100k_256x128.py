"""PA-100K at 256x128."""

_base_ = "./person_crops_256x128.py"

schema = "pa100k"
dataset = dict(type="PA100K", data_root="data/pa100k/")

train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
