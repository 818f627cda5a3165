"""AdamW at 1e-4, a tenth for the backbone, annealed by a cosine over 10 epochs."""

optim_wrapper = dict(
    # What a custom key names keeps its decay, so it is the head that has one.
    optimizer=dict(type="AdamW", lr=1e-5, weight_decay=0.05),
    paramwise_cfg=dict(
        custom_keys=dict(head=dict(lr_mult=10)),
        norm_decay_mult=0,
        bias_decay_mult=0,
    ),
    clip_grad=dict(max_norm=1.0),
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
        T_max=9,
        end=10,
        eta_min_ratio=0.01,
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(by_epoch=True, max_epochs=10, val_interval=1)

# GPUs x batch size that the learning rate is meant for.
auto_scale_lr = dict(base_batch_size=64, enable=False)
