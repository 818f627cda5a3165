"""Patterns painted on tubes: stripes, plaid, dots, checks."""

from __future__ import annotations

from mmpar.datasets.drawing.canvas import Canvas
from mmpar.datasets.drawing.palette import Colour, mixed
from mmpar.datasets.drawing.parts import Part
from mmpar.datasets.drawing.tube import Tube


def stripes(
    canvas: Canvas, tube: Tube, period: float, colour: Colour, part: Part
) -> None:
    """Stripes across the tube, half as thick as their period (pixels)."""
    for v0, v1 in _bands(tube.length, period, 0.5):
        canvas.polygon(tube.patch(-1, 1, v0, v1), colour, part)


def plaid(
    canvas: Canvas,
    tube: Tube,
    period: float,
    base: Colour,
    colour: Colour,
    part: Part,
) -> None:
    """Bands across and along, and full colour where they cross."""
    across = _bands(tube.length, period, 0.42)
    along = [(2 * a - 1, 2 * b - 1) for a, b in _bands(tube.width, period, 0.42)]
    half = mixed(base, colour, 0.55)
    for v0, v1 in across:
        canvas.polygon(tube.patch(-1, 1, v0, v1), half, part)
    for u0, u1 in along:
        canvas.polygon(tube.patch(u0, u1, 0, 1), half, part)
        for v0, v1 in across:
            canvas.polygon(tube.patch(u0, u1, v0, v1), colour, part)


def scattered(
    canvas: Canvas,
    tube: Tube,
    period: float,
    colour: Colour,
    part: Part,
    kind: str,
) -> None:
    """A pattern for legwear: ``'dots'``, ``'blobs'`` or ``'checks'``."""
    rows = max(2, round(tube.length / period))
    columns = max(2, round(tube.width / period))
    for i in range(rows):
        for j in range(columns):
            if kind == "checks" and (i + j) % 2:
                continue
            u = -1 + (2 * j + (0.5, 1.5)[i % 2]) / columns
            v = (i + 0.5) / rows
            if kind == "checks":
                u0, v0 = -1 + 2 * j / columns, i / rows
                patch = tube.patch(u0, u0 + 2 / columns, v0, v0 + 1 / rows)
                canvas.polygon(patch, colour, part)
            elif kind == "dots":
                r = period * 0.30
                canvas.disc(tube.at(u, v), r, r, colour, part)
            elif (3 * i + 5 * j) % 4:
                wide = period * (0.3 + 0.07 * ((i + 2 * j) % 4))
                canvas.disc(tube.at(u, v), wide, period * 0.28, colour, part)


def _bands(length: float, period: float, share: float) -> list[tuple[float, float]]:
    """Stretches of [0, 1], ``share`` of a period long, one a period."""
    count = max(1, round(length / period))
    return [
        ((i + 0.5 - share / 2) / count, (i + 0.5 + share / 2) / count)
        for i in range(count)
    ]
