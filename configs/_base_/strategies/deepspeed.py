"""DeepSpeed's ZeRO, stage 2: each process holds a share of optimizer and gradients.

A child also sets ``optim_wrapper.type="DeepSpeedOptimWrapper"``, without ``clip_grad``:
``strategy.gradient_clipping`` is in its place, 0 for none.
"""

strategy = dict(
    type="DeepSpeedStrategy",
    # SGD is one; tests/test_engine/test_strategies.py shows that it trains correctly.
    config=dict(zero_allow_untested_optimizer=True),
    # ``overlap_comm`` without ``contiguous_gradients`` gave other weights on CPUs.
    zero_optimization=dict(stage=2, overlap_comm=False),
    gradient_clipping=0.0,  # some releases of DeepSpeed would clip at 1
)
