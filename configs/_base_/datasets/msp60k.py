"""MSP60K, split at random: 60,122 images of eight scenes."""

_base_ = "./person_crops.py"

schema = "msp60k"
dataset = dict(type="MSP60K", data_root="data/msp60k/")

train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
