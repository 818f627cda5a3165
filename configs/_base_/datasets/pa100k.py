"""PA-100K: 80,000 training, 10,000 validation and 10,000 test images."""

_base_ = "./person_crops.py"

schema = "pa100k"
dataset = dict(type="PA100K", data_root="data/pa100k/")

train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
