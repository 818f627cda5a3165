"""Adam at 1e-4, annealed by a cosine over 30 epochs after a short linear warm-up."""

optim_wrapper = dict(
    optimizer=dict(type="Adam", lr=1e-4, weight_decay=5e-4),
    clip_grad=dict(max_norm=10.0),
)
param_scheduler = [
    dict(
        type="LinearLR",
        start_factor=0.01,
        by_epoch=True,
        end=1,
        convert_to_iter_based=True,
    ),
    dict(
        type="CosineAnnealingLR",
        by_epoch=True,
        begin=1,
        T_max=29,
        end=30,
        eta_min_ratio=0.01,
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(by_epoch=True, max_epochs=30, val_interval=1)

# GPUs x batch size that the learning rate is meant for.
auto_scale_lr = dict(base_batch_size=64, enable=False)
