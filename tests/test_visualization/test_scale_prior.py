"""The scale prior is shown as a table and as a picture."""

import numpy as np
from PIL import Image

from mmpar.visualization.scale_prior import draw_scale_prior, scale_prior_table

NAMES = ("head", "whole")
WEIGHTS = np.array([[0.7, 0.2, 0.1], [0.0, 0.25, 0.75]])
CHOSEN = (0, 2)


def test_the_table_has_a_row_a_region_and_the_level_it_is_read_from():
    table = scale_prior_table(NAMES, WEIGHTS, CHOSEN)
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in table.splitlines()
        if line.startswith("|")
    ]
    assert cells == [
        ["region", "P1", "P2", "P3", "read from"],
        ["head", "0.700", "0.200", "0.100", "P1"],
        ["whole", "0.000", "0.250", "0.750", "P3"],
    ]


def test_the_picture_depends_on_weights_and_choice(tmp_path):
    pictures = []
    for weights, chosen in [
        (WEIGHTS, CHOSEN),
        (WEIGHTS, (1, 1)),
        (1 - WEIGHTS, CHOSEN),
    ]:
        path = tmp_path / "prior.png"
        draw_scale_prior(path, NAMES, weights, chosen)
        pictures.append(np.asarray(Image.open(path).convert("RGB")).astype(int))
    assert pictures[0].shape[1] > 300
    for other in pictures[1:]:
        assert other.shape == pictures[0].shape
        assert (other != pictures[0]).any(axis=2).mean() > 0.005
