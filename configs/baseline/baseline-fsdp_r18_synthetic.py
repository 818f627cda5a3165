"""``baseline_r18_synthetic.py`` trained by FSDP, on several processes.

Batch normalization looks at each process's own batch: FSDP does not convert it.
"""

_base_ = ["./baseline_r18_synthetic.py", "../_base_/strategies/fsdp.py"]

sync_bn = None
