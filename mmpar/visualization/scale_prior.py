"""The learned scale prior as a heat map: regions x pyramid levels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mmpar.utils.fonts import drawable, matplotlib_fonts


def draw_scale_prior(
    regions: Sequence[str], weights: np.ndarray, chosen: Sequence[int]
) -> np.ndarray:
    """Draw a heat map of regions and pyramid levels; a frame marks the choice.

    Args:
        regions: R names.
        weights: ``(R, L)`` in [0, 1].
        chosen: Level of each region, 0 the finest.

    Returns:
        RGB image, ``(H, W, 3)``, uint8.
    """
    with matplotlib_fonts(regions):
        figure = _figure([drawable(name) for name in regions], weights, chosen)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3]


def _figure(
    regions: Sequence[str], weights: np.ndarray, chosen: Sequence[int]
) -> Figure:
    num_regions, num_levels = weights.shape
    figure = Figure(
        figsize=(2 + 0.9 * num_levels, 1 + 0.5 * num_regions),
        dpi=150,
        layout="constrained",
    )
    axes = figure.subplots()
    image = axes.imshow(weights, vmin=0, vmax=1, cmap="Blues", aspect="auto")
    axes.set_xticks(range(num_levels), [f"P{i + 1}" for i in range(num_levels)])
    axes.set_yticks(range(num_regions), regions)
    for (row, column), weight in np.ndenumerate(weights):
        axes.text(
            column,
            row,
            f"{weight:.2f}",
            ha="center",
            va="center",
            color="white" if weight > 0.5 else "black",
            fontweight="bold" if chosen[row] == column else "normal",
        )
    for row, column in enumerate(chosen):
        axes.add_patch(_frame(row, column))
    figure.colorbar(image, label="weight of the level")
    return figure


def _frame(row: int, column: int) -> Rectangle:
    corner = (column - 0.47, row - 0.47)
    return Rectangle(corner, 0.94, 0.94, fill=False, edgecolor="crimson", linewidth=2)
