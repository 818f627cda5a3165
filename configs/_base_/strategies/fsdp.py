"""Fully sharded data parallel: each process holds a share of weights and optimizer.

Blocks of ten million weights are gathered when they are needed. Checkpoints hold the
whole model, as those of other trainings do.
"""

strategy = dict(
    type="FSDPStrategy",
    model_wrapper=dict(
        type="MMFullyShardedDataParallel",
        use_orig_params=True,
        auto_wrap_policy=dict(
            type="torch.distributed.fsdp.wrap.size_based_auto_wrap_policy",
            min_num_params=10_000_000,
        ),
    ),
    state_dict_cfg="full",
)
