"""Adam at 1e-4, divided by 10 when the validation mA stalls for 4 epochs.

The published code watches the validation loss; mA is what the checkpoint is chosen by.
"""

optim_wrapper = dict(
    optimizer=dict(type="Adam", lr=1e-4, weight_decay=5e-4),
    clip_grad=dict(max_norm=10.0),
)
param_scheduler = dict(
    type="ReduceOnPlateauLR",
    monitor="par/mA",
    rule="greater",
    factor=0.1,
    patience=4,
)
train_cfg = dict(by_epoch=True, max_epochs=30, val_interval=1)

# GPUs x batch size that the learning rate is meant for.
auto_scale_lr = dict(base_batch_size=64, enable=False)
