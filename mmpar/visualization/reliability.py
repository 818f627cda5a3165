"""Reliability diagrams: how often scores are right, per attribute."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mmpar.evaluation.functional import Reliability
from mmpar.utils.fonts import drawable, matplotlib_fonts

_COLUMNS = 5


def draw_reliability(
    names: Sequence[str], before: Reliability, after: Reliability
) -> bytes:
    """Draw a diagram per attribute: the share of positives over the mean score of bins.

    Points on the diagonal are as right as they say; the area of a point is the share of
    images in its bin.

    Args:
        names: Of the A attributes.
        before: Of the first scores.
        after: Of the second scores.

    Returns:
        A PNG image.
    """
    columns = min(_COLUMNS, len(names))
    rows = math.ceil(len(names) / columns)
    with matplotlib_fonts(names):
        figure = Figure(figsize=(2.2 * columns, 2.3 * rows + 0.6), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        for index, axes in enumerate(grid.flat):
            axes.set_visible(index < len(names))
        for index, (name, axes) in enumerate(zip(names, grid.flat)):
            axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
            series = (("before", before, "tab:gray"), ("after", after, "tab:blue"))
            for label, one, color in series:
                count = one.count[index]
                axes.scatter(
                    one.score[index],
                    one.positive[index],
                    s=400 * count / max(count.sum(), 1) + 4,
                    color=color,
                    alpha=0.6,
                    label=f"{label}, ECE {100 * one.errors[index]:.1f} %",
                )
            axes.set_title(drawable(name), fontsize=9)
            axes.legend(fontsize=6, loc="upper left", markerscale=0.3)
            axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
        figure.supxlabel("mean score")
        figure.supylabel("share of positives")
        file = io.BytesIO()
        FigureCanvasAgg(figure).print_png(file)
    return file.getvalue()
