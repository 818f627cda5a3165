"""Where the cells of a feature map lie in the image.

A cell of stride s need not have its centre at the middle of s pixels. A convolution
that is padded on both sides looks at pixel ``s i``, a patch embedding at the middle
``s i + (s - 1) / 2``, and a pooling without padding further right. What a layer does to
the grid is known from its kernel, stride and padding, so the grid of a map is followed
from the image through everything that a model computes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from mmpar.compat import without_autocast

Pair = tuple[float, float]


@dataclass(frozen=True)
class CellGrid:
    """The centres of a map's cells, evenly spaced in the image.

    >>> halves = CellGrid.of_equal_cells((4, 2), (32, 16))  # 8 x 8 pixels per cell
    >>> halves.first, halves.stride
    ((3.5, 3.5), (8.0, 8.0))
    >>> halves.to_cells(torch.tensor([0.0, 8.0]))  # edges of the image and of a cell
    tensor([-0.5000,  0.5000])

    Args:
        first: (x, y) of the first cell's centre in pixels, 0 the centre of the first
            pixel.
        stride: Pixels from one cell to the next, (x, y).
    """

    first: Pair = (0.0, 0.0)
    stride: Pair = (1.0, 1.0)

    @classmethod
    def of_equal_cells(cls, cells: Sequence[int], image: Sequence[int]) -> CellGrid:
        """The image cut into equal cells.

        Args:
            cells: (h, w) of the map.
            image: (H, W) in pixels.
        """
        stride = (image[1] / cells[1], image[0] / cells[0])
        return cls(_pair((s - 1) / 2 for s in stride), stride)

    def to_pixels(self, cells: Tensor) -> Tensor:
        """From positions in cells to places in the image.

        Args:
            cells: (x, y), 0 the centre of the first cell, ``(..., 2)``.

        Returns:
            (x, y) in pixels, 0 the left or upper edge of the image, ``(..., 2)``.
        """
        return cells * cells.new_tensor(self.stride) + self._origin(cells)

    def to_cells(self, pixels: Tensor) -> Tensor:
        """From places in the image to positions in cells, as :meth:`to_pixels`."""
        return (pixels - self._origin(pixels)) / pixels.new_tensor(self.stride)

    def _origin(self, like: Tensor) -> Tensor:
        return like.new_tensor(self.first) + 0.5

    def edges_to_pixels(
        self, edges: Tensor, cells: Sequence[int], image: Sequence[int]
    ) -> Tensor:
        """Where edges between cells lie; the outermost cells reach to the border.

        Args:
            edges: (x, y) in cells, 0 the outer edge of the first and w or h that of the
                last, ``(..., 2)``.
            cells: (h, w) of the map.
            image: (H, W) in pixels.

        Returns:
            (x, y) in pixels, 0 the left or upper edge of the image, ``(..., 2)``.
        """
        size = edges.new_tensor((image[1], image[0]))
        count = edges.new_tensor((cells[1], cells[0]))
        inside = self.to_pixels(edges - 0.5).clamp(min=0).minimum(size)
        inside = torch.where(edges <= 0, torch.zeros_like(inside), inside)
        return torch.where(edges >= count, size.expand_as(inside), inside)

    def resize(self, maps: Tensor, image: Sequence[int]) -> Tensor:
        """Give each pixel the value of its place on the map, bilinearly.

        An outermost cell keeps its value for half a cell outwards, as far as it
        reaches, and from there fades to zero within another half.

        Args:
            maps: ``(..., h, w)``.
            image: (H, W) in pixels.

        Returns:
            ``(..., H, W)``.
        """
        rows = self._interpolation(1, image[0], maps)
        columns = self._interpolation(0, image[1], maps)
        with without_autocast(maps.device.type):
            return rows @ maps @ columns.T

    def _interpolation(self, axis: int, pixels: int, maps: Tensor) -> Tensor:
        """``(pixels, cells)``: the shares of the cells in each pixel."""
        count = maps.shape[-1 - axis]
        places, cells = (torch.arange(size).to(maps) for size in (pixels, count))
        places = (places - self.first[axis]) / self.stride[axis]
        inside = places.clamp(0, count - 1)
        shares = (1 - (inside[:, None] - cells).abs()).clamp(min=0)
        beyond = (places - inside).abs()
        return shares * (2 - 2 * beyond).clamp(0, 1)[:, None]

    def shifted(self, cells: Iterable[float]) -> CellGrid:
        """The grid whose first cell lies ``cells`` (x, y) further."""
        moved = (f + c * s for f, c, s in zip(self.first, cells, self.stride))
        return CellGrid(_pair(moved), self.stride)

    def merged(self, count: Iterable[float]) -> CellGrid:
        """The grid of blocks of ``count`` (x, y) cells."""
        count = _pair(count)
        first = self.shifted((c - 1) / 2 for c in count).first
        return CellGrid(first, _pair(s * c for s, c in zip(self.stride, count)))

    def with_stride(self, factor: Iterable[float]) -> CellGrid:
        """The grid with cells ``factor`` (x, y) times as far apart."""
        stride = _pair(s * f for s, f in zip(self.stride, factor))
        return CellGrid(self.first, stride)


def cell_grids(
    run: Callable[[Tensor], Sequence[Tensor]],
    image: Sequence[int],
    like: Tensor,
    measure: bool = True,
) -> list[CellGrid]:
    """Where the cells of maps lie, from what is computed on the way from the image.

    Convolutions, pooling, padding and interpolation move and widen the grid. Cells that
    are merged in another way, as by Swin's patch merging, are taken for equal blocks.
    A gate, of one cell for a whole side of the image, leaves the grid of its map.
    Where branches with different grids meet (BN-Inception, TResNet, ResNet-D, HRNet),
    there is no one place that a cell looks at: its centre is then that of the gradients
    of a cell on images of noise, which depends on the weights.

    >>> from torch import nn
    >>> padded, patches = nn.Conv2d(3, 8, 3, 4, padding=1), nn.Conv2d(3, 8, 4, 4)
    >>> both = cell_grids(lambda x: (padded(x), patches(x)), (32, 16), torch.zeros(1))
    >>> [grid.first for grid in both], [grid.stride for grid in both]
    ([(0.0, 0.0), (1.5, 1.5)], [(4.0, 4.0), (4.0, 4.0)])

    Args:
        run: From an image ``(1, 3, H, W)`` to maps ``(1, C, h, w)``, of a model in eval
            mode.
        image: (H, W) in pixels.
        like: Has the device and the type of the image.
        measure: Whether to measure grids that depend on the weights; without, they are
            those of the branch that an operation names first.

    Returns:
        The grid of each map.

    Raises:
        ValueError: A map was not computed from the image.
    """
    with torch.inference_mode(False):
        blank = torch.zeros(1, 3, *image).to(like)
        tracer = _Tracer(blank)
        with torch.no_grad(), tracer:
            maps = run(blank)
        found = [tracer.grid_of(one) for one in maps]
        grids = {index: grid for index, (grid, _) in enumerate(found)}
        unsure = {i: grids[i] for i, (_, certain) in enumerate(found) if not certain}
        if measure and unsure:
            grids.update(_measured(unsure, run, blank))
    return [*grids.values()]


_COARSEST = 32
"""Pixels between the cells of the coarsest map that a network computes on the way."""

_SEVENTHS = (0, 3, 4, 7)
"""Which cells of those within one of the coarsest map are measured, one for each image
of noise: 0 is the first, 7 the last. Where a coarser map was upsampled, they look at
different places; the mean of these four is that of all."""

_MARGIN = 256
"""Pixels that such an image is larger by, so that its border cuts off little of what a
cell in the middle looks at, a multiple of the strides."""

_ROUNDS = 20
"""Of moving a centre to the mean of what lies evenly around it."""


def _measured(
    grids: Mapping[int, CellGrid],
    run: Callable[[Tensor], Sequence[Tensor]],
    blank: Tensor,
) -> dict[int, CellGrid]:
    """By the maps' numbers, grids whose cells are where their gradients are."""
    noise = torch.Generator().manual_seed(0)
    signs = {index: torch.Generator().manual_seed(1) for index in grids}
    firsts: dict[int, list[Tensor]] = {index: [] for index in grids}
    for sevenths in _SEVENTHS:
        image, maps = _noise(run, blank, noise)
        with torch.enable_grad():
            for index, grid in grids.items():
                found = maps[index]
                height, width = found.shape[2:]
                column = _near_the_middle(width, grid.stride[0], sevenths)
                row = _near_the_middle(height, grid.stride[1], sevenths)
                cell = found[0, :, row, column]
                mixed = cell @ torch.randn(len(cell), generator=signs[index]).to(cell)
                (gradient,) = torch.autograd.grad(mixed, image, retain_graph=True)
                passed = torch.tensor((column, row)) * torch.tensor(grid.stride)
                firsts[index].append(_centre(gradient) - passed)
    means = {index: torch.stack(own).mean(dim=0) for index, own in firsts.items()}
    return {
        index: CellGrid(_pair(means[index].tolist()), grid.stride)
        for index, grid in grids.items()
    }


def _near_the_middle(cells: int, stride: float, sevenths: int) -> int:
    """One of the cells in the middle 32 pixels."""
    within = min(cells, max(1, int(_COARSEST / stride)))
    return cells // 2 - within // 2 + round((within - 1) * sevenths / 7)


def _noise(
    run: Callable[[Tensor], Sequence[Tensor]], blank: Tensor, generator: torch.Generator
) -> tuple[Tensor, Sequence[Tensor]]:
    """An image of noise and its maps."""
    drawn = torch.randn(
        1, 3, *(side + _MARGIN for side in blank.shape[2:]), generator=generator
    ).to(blank)
    with torch.enable_grad():
        try:
            return drawn.requires_grad_(), run(drawn)
        except (AssertionError, RuntimeError, ValueError):  # has one size
            own = drawn.detach()[:, :, : blank.shape[2], : blank.shape[3]].clone()
            return own.requires_grad_(), run(own)


def _centre(gradient: Tensor) -> Tensor:
    """(x, y) of the centre of a gradient ``(1, 3, H, W)``, in pixels."""
    shares = gradient.abs().sum(dim=(0, 1)).double().cpu()
    return torch.stack((_balance(shares.sum(dim=0)), _balance(shares.sum(dim=1))))


def _balance(shares: Tensor) -> Tensor:
    """The place that is the mean of what lies as far as the nearer border from it.

    The mean of all is drawn to the middle of the image where a border cuts off more of
    one side than of the other.
    """
    places = torch.arange(len(shares)).to(shares)
    inside = shares
    for _ in range(_ROUNDS):
        centre = inside @ places / inside.sum()
        reach = torch.minimum(centre, places[-1] - centre)
        within = (reach + 0.5 - (places - centre).abs()).clamp(0, 1)
        inside = shares * within
    return centre


class _Traced(NamedTuple):
    tensor: Tensor  # kept, so that no other tensor takes its identity
    grid: CellGrid
    certain: bool


class _Tracer(TorchDispatchMode):
    """Follows the grids of tensors through the operations of a forward pass."""

    def __init__(self, image: Tensor) -> None:
        super().__init__()
        self.size = image.shape[2:]
        self.found = {id(image): _Traced(image, CellGrid(), certain=True)}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Run an operation and note the grid of what it gives."""
        out = func(*args, **(kwargs or {}))
        leaves = tree_flatten((args, kwargs))[0]
        inputs = [self.found[id(leaf)] for leaf in leaves if id(leaf) in self.found]
        if inputs:
            after = self._after(func, args, out, inputs)
            for leaf in tree_flatten(out)[0]:
                if isinstance(leaf, Tensor):
                    self.found[id(leaf)] = _Traced(leaf, *after)
        return out

    def grid_of(self, maps: Tensor) -> tuple[CellGrid, bool]:
        """The grid of a map, and whether all its branches agree."""
        if id(maps) not in self.found:
            raise ValueError(
                f"a map of shape {tuple(maps.shape)} was not computed from the image, "
                "so that where its cells lie is not known"
            )
        return self._settled(self.found[id(maps)]), self.found[id(maps)].certain

    def _settled(self, traced: _Traced) -> CellGrid:
        """The grid with cells that were merged without an operation known here."""
        cells, grid = traced.tensor.shape, traced.grid
        if len(cells) != 4:
            return grid
        merged = []
        for axis in (0, 1):
            # Rounded up or without padding, a map is a little larger or smaller.
            ratio = self.size[1 - axis] / grid.stride[axis] / cells[3 - axis]
            merged.append(float(round(ratio)) if ratio > 1.5 else 1.0)
        return grid.merged(merged)

    def _lone_axes(self, traced: _Traced) -> int:
        """Along how many axes one cell spans the image: a gate is laid over a map."""
        sides = zip(_xy(self.size), traced.grid.stride)
        return sum(side < 1.5 * stride for side, stride in sides)

    def _after(
        self, func: Any, args: Sequence[Any], out: Any, inputs: list[_Traced]
    ) -> tuple[CellGrid, bool]:
        first = inputs[0]
        rule = _RULES.get(func.overloadpacket)
        if rule is not None and args[0] is first.tensor:
            return rule(self._settled(first), args, out), first.certain
        first = min(inputs, key=self._lone_axes)
        alike = [other for other in inputs if other.grid.stride == first.grid.stride]
        agree = all(other.grid == first.grid for other in alike)
        return first.grid, agree and all(other.certain for other in alike)


def _window(
    grid: CellGrid,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> CellGrid:
    """After a window slides over the map; settings are (y, x)."""
    kernel, stride, padding, dilation = (
        _two(value) for value in (kernel, stride or kernel, padding, dilation)
    )
    centre = ((k - 1) * d / 2 - p for k, d, p in zip(kernel, dilation, padding))
    return grid.shifted(_xy(centre)).with_stride(_xy(stride))


def _convolution(grid: CellGrid, args: Sequence[Any], out: Tensor) -> CellGrid:
    _, weight, _, stride, padding, dilation, transposed = args[:7]
    kernel = weight.shape[2:]
    if len(kernel) != 2:
        return grid
    if not transposed:
        return _window(grid, kernel, stride, padding, dilation)
    stride = _two(stride)
    finer = grid.with_stride(1 / s for s in _xy(stride))
    settings = zip(kernel, _two(dilation), _two(padding))
    return finer.shifted(_xy(p - (k - 1) * d / 2 for k, d, p in settings))


def _pooling(grid: CellGrid, args: Sequence[Any], out: Any) -> CellGrid:
    kernel, stride, padding, dilation = _settings(args[1:], ([], [0], [1]))
    return _window(grid, kernel, stride, padding, dilation)


def _average(grid: CellGrid, args: Sequence[Any], out: Any) -> CellGrid:
    kernel, stride, padding = _settings(args[1:], ([], [0]))
    return _window(grid, kernel, stride, padding, [1])


def _unfold(grid: CellGrid, args: Sequence[Any], out: Any) -> CellGrid:
    _, kernel, dilation, padding, stride = args
    return _window(grid, kernel, stride, padding, dilation)


def _blocks(grid: CellGrid, args: Sequence[Any], out: Tensor) -> CellGrid:
    """Into equal blocks of cells or of parts of one."""
    sizes = zip(args[0].shape[2:], out.shape[2:])
    return grid.merged(_xy(old / new for old, new in sizes))


def _settings(given: Sequence[Any], defaults: Sequence[Any]) -> list[Any]:
    """What was given, and the defaults of the rest; the first has none."""
    return [*given, *defaults[len(given) - 1 :]][: len(defaults) + 1]


def _padded(grid: CellGrid, args: Sequence[Any], out: Tensor) -> CellGrid:
    pads = list(args[1])
    return grid.shifted(-pads[i] if i < len(pads) else 0 for i in (0, 2))


def _sliced(grid: CellGrid, args: Sequence[Any], out: Tensor) -> CellGrid:
    tensor, dim, start, _, step = _settings(args, (0, None, None, 1))
    dim = dim % tensor.ndim
    if tensor.ndim != 4 or dim < 2 or step != 1:
        return grid
    start, _, _ = slice(start, None).indices(tensor.shape[dim])
    return grid.shifted((start, 0) if dim == 3 else (0, start))


def _interpolated(grid: CellGrid, args: Sequence[Any], out: Tensor) -> CellGrid:
    _, _, align_corners = args[:3]
    if not align_corners:
        return _blocks(grid, args, out)
    sizes = zip(args[0].shape[2:], out.shape[2:])
    return grid.with_stride(_xy((old - 1) / max(new - 1, 1) for old, new in sizes))


def _nearest(grid: CellGrid, args: Sequence[Any], out: Tensor) -> CellGrid:
    """torch rounds places down: on average a cell looks that far before its own."""
    sizes = [*zip(args[0].shape[2:], out.shape[2:])]
    ahead = _xy((math.gcd(old, new) / new - 1) / 2 for old, new in sizes)
    return grid.shifted(ahead).with_stride(_xy(old / new for old, new in sizes))


_aten = torch.ops.aten
_RULES: dict[Any, Callable[[CellGrid, Sequence[Any], Any], CellGrid]] = {
    _aten.convolution: _convolution,
    _aten.max_pool2d_with_indices: _pooling,
    _aten.avg_pool2d: _average,
    _aten._adaptive_avg_pool2d: _blocks,
    _aten.im2col: _unfold,
    _aten.constant_pad_nd: _padded,
    _aten.reflection_pad2d: _padded,
    _aten.replication_pad2d: _padded,
    _aten.slice: _sliced,
    _aten.upsample_bilinear2d: _interpolated,
    _aten.upsample_bicubic2d: _interpolated,
    _aten._upsample_bilinear2d_aa: _interpolated,
    _aten._upsample_bicubic2d_aa: _interpolated,
    _aten.upsample_nearest2d: _nearest,
    _aten._upsample_nearest_exact2d: _blocks,
    _aten.pixel_shuffle: _blocks,
}


def _two(values: Sequence[int]) -> tuple[int, int]:
    """(y, x), of which torch names but one where they are equal."""
    return values[0], values[-1]


def _xy(values: Iterable[float]) -> Pair:
    """(y, x), torch's order, as (x, y)."""
    y, x = values
    return x, y


def _pair(values: Iterable[float]) -> Pair:
    x, y = values
    return float(x), float(y)
