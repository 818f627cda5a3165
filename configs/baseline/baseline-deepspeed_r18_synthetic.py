"""``baseline_r18_synthetic.py`` trained by DeepSpeed, on several GPUs.

Batch normalization looks at each process's own batch: DeepSpeed does not convert it.
"""

_base_ = ["./baseline_r18_synthetic.py", "../_base_/strategies/deepspeed.py"]

optim_wrapper = dict(type="DeepSpeedOptimWrapper")
sync_bn = None
