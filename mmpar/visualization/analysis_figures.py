"""Figures of an analysis as SVG for a page, in the colour of its text."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmpar.evaluation.functional import Reliability, precision_recall

_TEXT = "#010203"
"""Stands for the colour of the page's text."""

_STYLE: Any = {
    "svg.fonttype": "none",  # the fonts of the page
    "svg.hashsalt": "mmpar",  # the same ids each time
    "font.size": 8,
    **dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color"), _TEXT
    ),
    "ytick.color": _TEXT,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_MAX_POINTS = 200


def draw_attribute(
    scores: np.ndarray, labels: np.ndarray, decisions: np.ndarray, bins: Reliability
) -> str:
    """Precision over recall, with the point of the decisions, and the reliability.

    Args:
        scores: ``(N,)``, of one attribute.
        labels: ``(N,)``: 1 present, 0 absent, -1 unknown.
        decisions: ``(N,)``, bool.
        bins: Of this attribute alone.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(4.4, 2.1), layout="constrained")
        left, right = figure.subplots(1, 2)
        precision, recall = precision_recall(scores, labels)
        if len(recall):
            places = np.searchsorted(recall, np.linspace(recall[0], 1, _MAX_POINTS))
            left.plot(recall[places], precision[places], color="tab:blue")
            present, found = labels == 1, decisions & (labels >= 0)
            hits = (present & found).sum()
            point = (hits / present.sum(), hits / max(found.sum(), 1))
            left.plot(*point, "o", color="tab:orange", clip_on=False)
        left.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.03))
        _draw_diagonal(right)
        _draw_bins(right, bins, "tab:blue")
        return _svg(figure)


def draw_reliability_of_groups(names: Sequence[str], groups: Reliability) -> str:
    """The reliability of groups in one diagram.

    Args:
        names: Of the G groups.
        groups: Their bins over all attributes, ``(G, B)``.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(4.4, 3), layout="constrained")
        axes = figure.subplots()
        _draw_diagonal(axes)
        colors = mpl.colormaps["tab20" if len(names) > 10 else "tab10"]
        for group, name in enumerate(names):
            one = Reliability(*(part[[group]] for part in vars(groups).values()))
            _draw_bins(axes, one, colors(group % colors.N), name)
        figure.legend(loc="outside right upper", fontsize=7, frameon=False)
        return _svg(figure)


def _draw_diagonal(axes: Axes) -> None:
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1)
    axes.set(xlabel="mean score", ylabel="share of positives")
    axes.set(xlim=(0, 1), ylim=(0, 1.03))


def _draw_bins(axes: Axes, one: Reliability, color: object, label: str = "") -> None:
    count = one.count[0]
    filled = count > 0
    points = one.score[0][filled], one.positive[0][filled]
    sizes = 80 * count[filled] / max(count.sum(), 1) + 3
    axes.plot(*points, color=color, linewidth=0.8, label=label or None)
    axes.scatter(*points, s=sizes, color=color)


def _svg(figure: Figure) -> str:
    """The element alone, without what stands before it in a file."""
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    text = file.getvalue()
    return text[text.index("<svg") :].replace(_TEXT, "currentColor")
