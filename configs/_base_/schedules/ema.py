"""An exponential moving average of the weights: evaluated, and saved as the best.

The running means and variances of batch normalization are averaged with them.

Inherit it beside a schedule and set
``custom_hooks = _base_.custom_hooks + _base_.ema``.
"""

ema = [
    dict(
        type="EMAHook",
        ema_type="ExponentialMovingAverage",
        momentum=0.0002,
        update_buffers=True,
        priority="ABOVE_NORMAL",
    )
]
