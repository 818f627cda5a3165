"""The Strong Baseline with averaged weights, for comparison with its published 81.97.

Protocol and start as in ``baseline_r50_pa100k_trainval-test.py``; weights and running
statistics of the last 5,000 iterations or so are averaged, evaluated and saved.
"""

_base_ = [
    "../_base_/datasets/pa100k.py",
    "../_base_/models/baseline_r50.py",
    "../_base_/schedules/adam_plateau.py",
    "../_base_/runtime_ema.py",
]

train_dataloader = dict(dataset=dict(split="trainval"))
val_dataloader = dict(dataset=dict(split="test"))
protocol = "paper"

model = dict(head=dict(schema=_base_.schema, init_cfg=None))
