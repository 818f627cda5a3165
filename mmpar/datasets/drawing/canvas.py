"""Supersampled surface that remembers what was painted where."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from mmpar.datasets.drawing.palette import Colour
from mmpar.datasets.drawing.parts import Part
from mmpar.datasets.drawing.tube import Point, Tube

_NEUTRAL, _EDGE, _BODY, _HIGHLIGHT = 200, 148, 204, 232


class Canvas:
    """Colours, parts and shading of a picture while it is drawn.

    Parts are kept in the alpha channel, so that each shape is painted once. Shading is
    a layer of its own, multiplied in at the end, so that it lies over any pattern.

    Args:
        background: Picture of the final size, RGB.
        factor: Supersampling.
        light: Where light comes from, from -1 (left) to 1 (right).
    """

    def __init__(self, background: Image.Image, factor: int, light: float) -> None:
        self.factor = factor
        self.light = light
        width, height = background.size
        self.width, self.height = width * factor, height * factor
        large = background.resize((self.width, self.height), Image.Resampling.BILINEAR)
        large.putalpha(Part.BACKGROUND)
        self._image = large
        self._draw = ImageDraw.Draw(large)
        self._shade = Image.new("L", (self.width, self.height), _NEUTRAL)
        self._shader = ImageDraw.Draw(self._shade)

    # --- shapes ---------------------------------------------------------------------

    def polygon(self, points: Sequence[Point], colour: Colour, part: Part) -> None:
        """Fill a polygon; the shading under it stays."""
        self._draw.polygon(points, fill=(*colour, part))

    def line(
        self, points: Sequence[Point], width: float, colour: Colour, part: Part
    ) -> None:
        """Draw a line; the shading under it stays."""
        self._draw.line(
            points, fill=(*colour, part), width=max(1, round(width)), joint="curve"
        )

    def disc(
        self, centre: Point, rx: float, ry: float, colour: Colour, part: Part
    ) -> None:
        """Fill an ellipse; the shading under it stays."""
        self._draw.ellipse(_box(centre, rx, ry), fill=(*colour, part))

    def ball(
        self, centre: Point, rx: float, ry: float, colour: Colour, part: Part
    ) -> None:
        """Fill an ellipse, shaded as a ball."""
        self.disc(centre, rx, ry, colour, part)
        for share, shift, tone in _NESTED:
            middle = (centre[0] + self.light * shift * rx, centre[1] - 0.3 * shift * ry)
            self._shader.ellipse(_box(middle, rx * share, ry * share), fill=tone)

    def tube(self, tube: Tube, colour: Colour, part: Part) -> None:
        """Fill a tube, shaded as a round body."""
        self._draw.polygon(tube.outline(), fill=(*colour, part))
        for share, shift, tone in _NESTED:
            middle = self.light * shift
            outline = tube.outline(middle - share, middle + share)
            self._shader.polygon(outline, fill=tone)

    def limb(
        self,
        points: Sequence[Point],
        radii: Sequence[float],
        colour: Colour,
        part: Part,
    ) -> None:
        """Fill a chain of tubes with round joints, shaded as one round body."""
        for share, shift, tone in ((1.0, 0.0, None), *_NESTED):
            draw = self._draw if tone is None else self._shader
            fill = (*colour, part) if tone is None else tone
            for i, (point, radius) in enumerate(zip(points, radii)):
                middle = (point[0] + self.light * shift * radius, point[1])
                r = radius * share
                draw.ellipse(_box(middle, r, r), fill=fill)
                if i + 1 < len(points):
                    end = points[i + 1][0] + self.light * shift * radii[i + 1]
                    segment = Tube.around(
                        middle, (end, points[i + 1][1]), r, radii[i + 1] * share
                    )
                    draw.polygon(segment.outline(), fill=fill)

    def block(self, points: Sequence[Point], colour: Colour, part: Part) -> None:
        """Fill a polygon, shaded evenly as a flat body in front of all else."""
        self._draw.polygon(points, fill=(*colour, part))
        self._shader.polygon(points, fill=_NEUTRAL)

    def darken(self, centre: Point, rx: float, ry: float, tone: float) -> None:
        """Cast a shadow with the shape of an ellipse; ``tone`` 1 leaves as is."""
        self._shader.ellipse(_box(centre, rx, ry), fill=round(_NEUTRAL * tone))

    # --- result ---------------------------------------------------------------------

    def picture(self) -> np.ndarray:
        """Shaded picture of the final size, float32, (H, W, 3) in 0..255."""
        colours = self._image.convert("RGB").reduce(self.factor)
        shade = self._shade.reduce(self.factor)
        factors = np.asarray(shade, np.float32)[..., None] / _NEUTRAL
        return np.clip(np.asarray(colours, np.float32) * factors, 0, 255)

    def parts(self) -> np.ndarray:
        """What each supersampled pixel shows, uint8, (H * factor, W * factor)."""
        return np.asarray(self._image.getchannel("A"))


_NESTED = ((1.0, 0.0, _EDGE), (0.82, 0.15, _BODY), (0.42, 0.35, _HIGHLIGHT))


def _box(centre: Point, rx: float, ry: float) -> tuple[float, float, float, float]:
    rx, ry = max(rx, 0.5), max(ry, 0.5)
    return (centre[0] - rx, centre[1] - ry, centre[0] + rx, centre[1] + ry)
