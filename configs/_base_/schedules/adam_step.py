"""Adam at 1e-4, divided by 10 after epochs 20 and 40 of 60."""

optim_wrapper = dict(optimizer=dict(type="Adam", lr=1e-4, weight_decay=5e-4))
param_scheduler = dict(type="MultiStepLR", by_epoch=True, milestones=[20, 40])
train_cfg = dict(by_epoch=True, max_epochs=60, val_interval=1)

# GPUs x batch size that the learning rate is meant for.
auto_scale_lr = dict(base_batch_size=32, enable=False)
