"""Adam from random weights in a few hundred iterations, for SyntheticPAR."""

optim_wrapper = dict(
    optimizer=dict(type="Adam", lr=4e-4, weight_decay=5e-4),
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
        T_max=7,
        end=8,
        eta_min_ratio=0.01,
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(by_epoch=True, max_epochs=8, val_interval=2)

# GPUs x batch size that the learning rate is meant for.
auto_scale_lr = dict(base_batch_size=16, enable=False)
