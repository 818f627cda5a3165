"""Logging, checkpoints, hooks and environment that all configs share.

A child adds a hook, or takes one away with None, by its name in ``default_hooks``.
"""

default_scope = "mmpar"

# How the checkpoint is chosen: "val-selected", "fixed-schedule" where there is no
# validation split, or "paper", on the test split. A run refuses another one.
protocol = "val-selected"

default_hooks = dict(
    timer=dict(type="IterTimerHook"),
    logger=dict(type="LoggerHook", interval=50),
    param_scheduler=dict(type="ParamSchedulerHook"),
    # The best checkpoint is chosen on the validation split. Of two, one can be resumed
    # from if the disk damages the other.
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
    # Writes into checkpoints what they were trained on and chosen by.
    training_record=dict(type="TrainingRecordHook"),
    validation_check=dict(type="ValidationCheckHook"),
    progress=dict(type="ProgressHook"),
    # A killed run that is resumed ends as if nothing had happened.
    interrupt=dict(type="InterruptHook"),
    iteration_seed=dict(type="IterationSeedHook"),
    shared_buffers=dict(type="SharedBuffersHook"),
    validated=dict(type="ValidatedHook"),
    due_validation=dict(type="DueValidationHook"),
    finite=dict(type="FiniteHook"),
    # Data and model must mean the same attributes, before anything is counted.
    schema_check=dict(type="SchemaCheckHook"),
    # Has a test report persons apart that are in the training data.
    seen_persons=dict(type="SeenPersonsHook"),
    # Has a test say what its numbers come from, and by which protocol.
    result_record=dict(type="ResultRecordHook"),
    # Hands the positive ratios of the training data to the loss.
    positive_ratio=dict(type="PositiveRatioHook"),
)

custom_hooks = []  # a child's own, without a name

vis_backends = [dict(type="LocalVisBackend")]
visualizer = dict(type="PARVisualizer", vis_backends=vis_backends)

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method="fork", opencv_num_threads=0),
    dist_cfg=dict(backend="nccl"),
)

log_level = "INFO"
load_from = None
resume = False
randomness = dict(seed=0, deterministic=False)
