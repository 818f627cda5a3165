"""SSPNet of the reduced benchmark, of which each region learns its level."""

_base_ = "./sspnet_mbv2_peta160.py"

model = dict(neck=dict(scale=dict(mode="learned")))
default_hooks = dict(
    scale_annealing=dict(
        type="ScaleAnnealingHook", start=1.0, end=0.1, begin_at=0.1, commit_at=0.6
    )
)
# A few numbers that must travel as far as one in thousands of weights, in either
# direction and as undecided as the task leaves them.
optim_wrapper = dict(
    paramwise_cfg=dict(
        custom_keys={"neck.scale_selection": dict(lr_mult=10.0, decay_mult=0.0)}
    )
)
# Once the levels are chosen, those that no region reads have no gradient.
find_unused_parameters = True
