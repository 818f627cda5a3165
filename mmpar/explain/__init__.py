"""Where in the image an answer came from: response maps, boxes, and their check.

Boxes from maps are arithmetic: :func:`mmpar.evaluation.functional.map_to_box`.
"""

import mmpar.registry  # noqa: F401  checks the installation, secures checkpoints
from mmpar.explain.alm_boxes import ALMBoxes
from mmpar.explain.explainer import BoxExplainer, Explainer, MapExplainer
from mmpar.explain.grad_cam import GradCAM
from mmpar.explain.grad_cam_p import GradCAMP
from mmpar.explain.occlusion import OcclusionTest
from mmpar.explain.regions import PLEPoints, RegionBoxes, has_regions

__all__ = [
    "ALMBoxes",
    "BoxExplainer",
    "Explainer",
    "GradCAM",
    "GradCAMP",
    "MapExplainer",
    "OcclusionTest",
    "PLEPoints",
    "RegionBoxes",
    "has_regions",
]
