"""``baseline_r18_synthetic.py`` trained by FSDP, on several processes.

Batch normalization looks at each process's own batch: FSDP does not convert it. No
process has the norm of all gradients, so they are not clipped.
"""

_base_ = ["./baseline_r18_synthetic.py", "../_base_/strategies/fsdp.py"]

optim_wrapper = dict(clip_grad=None)
sync_bn = None
channels_last = None
