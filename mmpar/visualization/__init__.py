"""Drawings of samples, of predictions and of what explains them."""

import mmpar.registry  # noqa: F401  checks the installation, secures checkpoints
from mmpar.visualization.par_visualizer import PARVisualizer, image_grid, to_rgb_image

__all__ = ["PARVisualizer", "image_grid", "to_rgb_image"]
