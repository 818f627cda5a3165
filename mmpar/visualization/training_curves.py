"""Losses and metrics of trainings as curves."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mmpar.utils.fonts import drawable, matplotlib_fonts
from mmpar.utils.training_logs import TrainingLog


def draw_training_curves(
    runs: Mapping[str, TrainingLog], metrics: Sequence[str]
) -> bytes:
    """Draw the loss by iteration and each metric by epoch, the runs in one axes.

    Args:
        runs: Name to log.
        metrics: Those to draw; a run without one has no curve there.

    Returns:
        A PNG image.
    """
    titles = ["loss", *metrics]
    with matplotlib_fonts(runs):
        figure = Figure(figsize=(4.5 * len(titles), 3.5), layout="constrained")
        for axes, title in zip(
            figure.subplots(1, len(titles), squeeze=False)[0], titles
        ):
            for number, (name, log) in enumerate(runs.items()):
                curve = log.losses if title == "loss" else log.metrics.get(title, {})
                steps = sorted(curve)
                axes.plot(
                    steps,
                    [curve[step] for step in steps],
                    "-" if title == "loss" else ".-",
                    color=f"C{number}",
                    label=drawable(name),
                )
            axes.set_title(title)
            axes.set_xlabel("iteration" if title == "loss" else "epoch")
            axes.grid(alpha=0.3)
            axes.legend(fontsize=7)
        file = io.BytesIO()
        FigureCanvasAgg(figure).print_png(file)
    return file.getvalue()
