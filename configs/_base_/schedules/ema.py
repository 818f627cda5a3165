"""An exponential moving average of the weights: evaluated, and saved as the best.

Inherit it beside a schedule and set
``custom_hooks = _base_.custom_hooks + _base_.ema``.
"""

ema = [
    dict(
        type="EMAHook",
        ema_type="ExponentialMovingAverage",
        momentum=0.0002,
        priority="ABOVE_NORMAL",
    )
]
