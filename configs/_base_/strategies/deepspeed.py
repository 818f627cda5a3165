"""DeepSpeed's ZeRO, stage 2: each process holds a share of optimizer and gradients."""

strategy = dict(
    type="DeepSpeedStrategy",
    zero_optimization=dict(stage=2, overlap_comm=True, contiguous_gradients=True),
)
