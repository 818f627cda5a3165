"""Adam at 1e-3, annealed by a cosine over 15 epochs: a head on frozen features."""

optim_wrapper = dict(
    optimizer=dict(type="Adam", lr=1e-3, weight_decay=1e-4),
    clip_grad=dict(max_norm=10.0),
)
param_scheduler = dict(
    type="CosineAnnealingLR",
    by_epoch=True,
    T_max=15,
    eta_min_ratio=0.01,
    convert_to_iter_based=True,
)
train_cfg = dict(by_epoch=True, max_epochs=15, val_interval=1)

# GPUs x batch size that the learning rate is meant for.
auto_scale_lr = dict(base_batch_size=64, enable=False)
