"""The Strong Baseline with averaged weights, for comparison with its published 81.97.

As ``baseline_r50_pa100k_trainval-test.py``, which see; weights and running statistics
of the last 5,000 iterations or so are averaged, evaluated and saved.
"""

_base_ = ["./baseline_r50_pa100k_trainval-test.py", "../_base_/schedules/ema.py"]

custom_hooks = _base_.custom_hooks + _base_.ema
