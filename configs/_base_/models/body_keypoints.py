"""Which body keypoints belong to SSPNet's regions; for PLE of the kind ``keypoint``.

Configs set ``regions=_base_.keypoint_regions`` for neck and head, and
``ple=dict(kind="keypoint")``; samples need ``gt_keypoints``.
"""

# From top to bottom, for pyramid pooling takes the halves of the list as the halves of
# a body part: features are in this order. The region `whole` has all 17, as COCO does.
face = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
shoulders = ("left_shoulder", "right_shoulder")
arms = ("left_elbow", "right_elbow", "left_wrist", "right_wrist")
hips = ("left_hip", "right_hip")
legs = ("left_knee", "right_knee", "left_ankle", "right_ankle")

keypoint_regions = dict(
    head=dict(keypoints=face + shoulders),
    torso=dict(keypoints=shoulders + arms + hips),
    bottom=dict(keypoints=hips + legs),
)
