"""The scale prior is shown as an image."""

import numpy as np

from mmpar.visualization.scale_prior import draw_scale_prior

NAMES = ("head", "whole")
WEIGHTS = np.array([[0.7, 0.2, 0.1], [0.0, 0.25, 0.75]])
CHOSEN = (0, 2)


def test_the_image_depends_on_weights_and_choice():
    images = [
        draw_scale_prior(NAMES, weights, chosen).astype(int)
        for weights, chosen in [
            (WEIGHTS, CHOSEN),
            (WEIGHTS, (1, 1)),
            (1 - WEIGHTS, CHOSEN),
        ]
    ]
    assert images[0].shape[1:] > (300, 2)
    for other in images[1:]:
        assert other.shape == images[0].shape
        assert (other != images[0]).any(axis=2).mean() > 0.005
