"""SSPNet in the setting of its released code: ResNet-50, P1 to P3, four regions."""

_base_ = "./r50.py"

# Body keypoints of a region, for KeypointPLE, from top to bottom: pyramid pooling takes
# the halves of the list as the halves of a body part. The whole body has all 17, in
# COCO's order.
face = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
shoulders = ("left_shoulder", "right_shoulder")
arms = ("left_elbow", "right_elbow", "left_wrist", "right_wrist")
hips = ("left_hip", "right_hip")
legs = ("left_knee", "right_knee", "left_ankle", "right_ankle")

model = dict(
    type="PARClassifier",
    # Region -> pyramid level (the scale prior), rows in fractions of the image height
    # (the place prior), and the attribute groups that are read there; None reads all
    # that the others do not.
    regions=dict(
        head=dict(
            level=1, rows=(0.0, 0.375), groups=("head",), keypoints=face + shoulders
        ),
        torso=dict(
            level=2,
            rows=(0.125, 0.625),
            groups=("upper",),
            keypoints=shoulders + arms + hips,
        ),
        bottom=dict(
            level=2, rows=(0.5, 1.0), groups=("lower", "foot"), keypoints=hips + legs
        ),
        whole=dict(level=3, rows=(0.0, 1.0), groups=None),
    ),
    backbone=dict(out_indices=(0, 1, 2, 3)),
    neck=dict(
        type="SSPNetNeck",
        in_channels=(256, 512, 1024, 2048),
        out_channels=256,
        scale=dict(mode="fixed"),
        ple=dict(type="BlockPLE", num_points=3),
    ),
    head=dict(
        type="SSPNetHead",
        in_channels=256,
        pool_grids=(1, 2),
        dropout=0.1,
        loss=dict(type="WeightedBCELoss", weighting="exponential"),
    ),
)

# As the official code: several processes share the statistics of batch normalization.
sync_bn = "torch"
