"""Logging, checkpoints, hooks and environment that all configs share."""

default_scope = "mmpar"

default_hooks = dict(
    timer=dict(type="IterTimerHook"),
    logger=dict(type="LoggerHook", interval=50),
    param_scheduler=dict(type="ParamSchedulerHook"),
    # The best checkpoint is chosen on the validation split. MMEngine deletes an old one
    # before it writes the next: of two, one stays even if the run is killed then.
    checkpoint=dict(
        type="CheckpointHook",
        interval=1,
        max_keep_ckpts=2,
        save_best="par/mA",
        rule="greater",
    ),
    sampler_seed=dict(type="DistSamplerSeedHook"),
    # Says what is trained on what; stops before a training that cannot mean anything.
    training_report=dict(type="TrainingReportHook"),
    validation_check=dict(type="ValidationCheckHook"),
    progress=dict(type="ProgressHook"),
    # A killed run that is resumed ends as if nothing had happened.
    iteration_seed=dict(type="IterationSeedHook"),
    shared_buffers=dict(type="SharedBuffersHook"),
    validated=dict(type="ValidatedHook"),
    due_validation=dict(type="DueValidationHook"),
    finite=dict(type="FiniteHook"),
)

# Name the data's schema to the model, its positive ratios to the loss.
custom_hooks = [dict(type="SchemaCheckHook"), dict(type="PositiveRatioHook")]

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method="fork", opencv_num_threads=0),
    dist_cfg=dict(backend="nccl"),
)

log_level = "INFO"
load_from = None
resume = False
randomness = dict(seed=0, deterministic=False)
