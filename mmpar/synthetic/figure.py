"""A person on a canvas, painted layer by layer from far to near."""

from __future__ import annotations

from collections.abc import Set
from typing import Callable

from mmpar.synthetic.appearance import BagAppearance, ClothesAppearance, HeadAppearance
from mmpar.synthetic.canvas import Canvas
from mmpar.synthetic.skeleton import Skeleton


class Figure:
    """What the painters of head, clothes and bags share.

    Args:
        canvas: Where to paint.
        skeleton: Posed body.
        present: Names of the attributes present.
        head: Looks of the head.
        clothes: Looks of the clothes.
        bags: Looks of what is carried.
    """

    def __init__(
        self,
        canvas: Canvas,
        skeleton: Skeleton,
        present: Set[str],
        head: HeadAppearance,
        clothes: ClothesAppearance,
        bags: BagAppearance,
    ) -> None:
        self.canvas = canvas
        self.skeleton = skeleton
        self.present = present
        self.head = head
        self.clothes = clothes
        self.bags = bags
        self._layers: list[tuple[float, int, Callable[[], None]]] = []

    def layer(self, depth: float, paint: Callable[[], None]) -> None:
        """Paint later, over what is farther; in the order given where equally far."""
        self._layers.append((depth, len(self._layers), paint))

    def paint(self) -> None:
        """Paint all layers."""
        for _, _, paint in sorted(self._layers, key=lambda layer: layer[:2]):
            paint()

    def px(self, length: float) -> float:
        """Body units to pixels."""
        return length * self.skeleton.scale

    def girth(self, radius: float) -> float:
        """Radius of a limb in body units to pixels."""
        return radius * self.skeleton.scale * self.skeleton.body.girth
