"""The learned scale prior as a table and as a heat map: regions x pyramid levels."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mmpar.evaluation.tables import text_table
from mmpar.visualization.fonts import drawable, font_families


def scale_prior_table(
    regions: Sequence[str], weights: np.ndarray, chosen: Sequence[int]
) -> str:
    """A row a region: the weight of each level and the level that it is read from.

    Args:
        regions: R names.
        weights: ``(R, L)``.
        chosen: Level of each region, 0 the finest.
    """
    rows = [["region", *_level_names(weights), "read from"]]
    for name, row, level in zip(regions, weights, chosen):
        rows.append([name, *(f"{weight:.3f}" for weight in row), f"P{level + 1}"])
    return text_table(rows)


def draw_scale_prior(
    path: str | Path, regions: Sequence[str], weights: np.ndarray, chosen: Sequence[int]
) -> None:
    """Save a heat map of what :func:`scale_prior_table` shows; a frame is the choice.

    Args:
        path: Picture file; its suffix is the format.
        regions: R names.
        weights: ``(R, L)`` in [0, 1].
        chosen: Level of each region, 0 the finest.
    """
    with mpl.rc_context({"font.family": font_families(regions)}):
        figure = _figure([drawable(name) for name in regions], weights, chosen)
        with warnings.catch_warnings():
            # font_families has named them all in one warning, with the remedy
            warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font")
            figure.savefig(path, dpi=150)


def _figure(
    regions: Sequence[str], weights: np.ndarray, chosen: Sequence[int]
) -> Figure:
    num_regions, num_levels = weights.shape
    figure = Figure(
        figsize=(2 + 0.9 * num_levels, 1 + 0.5 * num_regions), layout="constrained"
    )
    axes = figure.subplots()
    image = axes.imshow(weights, vmin=0, vmax=1, cmap="Blues", aspect="auto")
    axes.set_xticks(range(num_levels), _level_names(weights))
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


def _level_names(weights: np.ndarray) -> list[str]:
    return [f"P{level + 1}" for level in range(weights.shape[1])]
