"""``baseline_r18_synthetic.py`` trained by DeepSpeed, on several GPUs.

Batch normalization looks at each process's own batch: DeepSpeed does not convert it.
"""

_base_ = ["./baseline_r18_synthetic.py", "../_base_/strategies/deepspeed.py"]

# DeepSpeed clips gradients itself.
optim_wrapper = dict(
    _delete_=True,
    type="DeepSpeedOptimWrapper",
    optimizer=_base_.optim_wrapper.optimizer,
)
strategy = dict(gradient_clipping=_base_.optim_wrapper.clip_grad.max_norm)
sync_bn = None
channels_last = None
