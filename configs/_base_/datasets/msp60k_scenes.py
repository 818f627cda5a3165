"""MSP60K by scenes: trained on some and tested on others; there is no val split."""

_base_ = "./person_crops.py"

schema = "msp60k"
dataset = dict(
    type="MSP60K", data_root="data/msp60k/", ann_file="dataset_ms_split_1.pkl"
)

train_dataloader = dict(dataset=dict(split="trainval", **dataset))
test_dataloader = dict(dataset=dataset)

# The last checkpoint is tested: there is nothing to choose an earlier one on.
val_cfg = None
val_dataloader = None
val_evaluator = None
