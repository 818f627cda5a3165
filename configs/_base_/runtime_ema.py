"""The default runtime with an exponential moving average of the weights.

The averaged weights are evaluated, and saved as the best. The running means and
variances of batch normalization are averaged with them.
"""

_base_ = "./default_runtime.py"

default_hooks = dict(
    ema=dict(
        type="EMAHook",
        ema_type="ExponentialMovingAverage",
        momentum=0.0002,
        update_buffers=True,
        priority="ABOVE_NORMAL",
    )
)
