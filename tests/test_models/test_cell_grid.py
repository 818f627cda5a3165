"""Where the cells of every family's maps lie: by hand, by patches, by ramps."""

import re
import warnings
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmpretrain.models import ImageClassifier
from mmpretrain.registry import MODELS
from torch import nn
from torch.overrides import TorchFunctionMode

from mmpar.evaluation.functional import map_peak
from mmpar.explain import GradCAM
from mmpar.models import LinearPARHead
from mmpar.models.layers import CellGrid, cell_grids
from tests.test_backbones import shallow

SIZE = (192, 128)  # (H, W)
SWIN = dict(
    type="mmpretrain.SwinTransformer",
    arch=dict(embed_dims=24, depths=(1, 1, 1, 1), num_heads=(1, 1, 1, 1)),
    img_size=SIZE,
    window_size=4,
    pad_small_map=True,
    out_indices=(0, 1, 2, 3),
)
VIT = dict(
    type="mmpretrain.VisionTransformer",
    arch=dict(embed_dims=32, num_layers=2, num_heads=2, feedforward_channels=64),
    img_size=SIZE,
    patch_size=16,
    out_type="featmap",
)
VIT_PYRAMID = dict(VIT, type="mmpar.ViTPyramid")
del VIT_PYRAMID["out_type"]
CONVNEXT = dict(
    type="mmpretrain.ConvNeXt",
    arch=dict(depths=(1, 1, 1, 1), channels=(8, 16, 24, 32)),
    out_indices=(0, 1, 2, 3),
    gap_before_final_norm=False,
)
RESNET = dict(type="mmpretrain.ResNet", depth=18, out_indices=(0, 1, 2, 3))
MOBILENET = dict(type="mmpretrain.MobileNetV2", out_indices=(1, 2, 4, 7))
BN_INCEPTION = dict(type="mmpar.BNInception", out_indices=(0, 1, 2))
RESNET_D = dict(type="mmpretrain.ResNetV1d", depth=50, out_indices=(1, 2, 3))
# Padded at the right and at the bottom alone, as TensorFlow does.
EFFICIENTNET = dict(type="mmpretrain.EfficientNet", arch="b0", out_indices=(2, 3, 4, 6))
# Its gates are named before the maps that they are laid over.
RESNEST = dict(
    type="mmpretrain.ResNeSt",
    depth=50,
    num_stages=1,
    strides=(1,),
    dilations=(1,),
    out_indices=(0,),
)

# Of each map the stride and the centre of the first cell, from the layers by hand.
BY_HAND = [
    (RESNET, [(4, 0), (8, 0), (16, 0), (32, 0)]),
    (MOBILENET, [(4, 0), (8, 0), (16, 0), (32, 0)]),
    (SWIN, [(4, 1.5), (8, 3.5), (16, 7.5), (32, 15.5)]),
    (VIT, [(16, 7.5)]),
    (VIT_PYRAMID, [(4, 1.5), (8, 3.5), (16, 7.5), (32, 15.5)]),
    (CONVNEXT, [(4, 1.5), (8, 3.5), (16, 7.5), (32, 15.5)]),
    (EFFICIENTNET, [(4, 3), (8, 7), (16, 15), (32, 31)]),
    (RESNEST, [(4, 0)]),
]
FAMILIES = [RESNET, MOBILENET, SWIN, VIT, CONVNEXT, BN_INCEPTION, RESNET_D]


def name(value):
    return value["type"].split(".")[1] if isinstance(value, dict) else ""


def build(config):
    torch.manual_seed(0)
    backbone = MODELS.build(config)
    backbone.eval()  # of some it returns nothing
    return backbone


def grids_of(backbone):
    return cell_grids(backbone, SIZE, torch.zeros(1))


@pytest.mark.parametrize(("config", "expected"), BY_HAND, ids=name)
def test_grids_are_those_of_the_layers(config, expected):
    found = grids_of(build(config))
    by_hand = [CellGrid((first,) * 2, (stride,) * 2) for stride, first in expected]
    assert found == by_hand


@pytest.mark.parametrize("config", [BN_INCEPTION, RESNET_D], ids=name)
def test_where_branches_differ_a_cell_is_where_a_change_of_the_image_shows(config):
    """Found with gradients; here by changing the image a little in many places."""
    backbone = build(config)
    noise = torch.Generator().manual_seed(5)
    # So large that a cell in the middle does not see the border.
    image = torch.randn(1, 3, 320, 320, generator=noise) / 2
    places = range(144, 176, 4)
    stages = [[] for _ in grids_of(backbone)]
    with torch.no_grad():
        before = backbone(image)
        for place in places:
            changed = image.clone()
            changed[:, :, 156:164, place : place + 8] += 1
            for found, one, other in zip(stages, backbone(changed), before):
                change = (one - other).abs().sum(dim=(0, 1, 2))
                middle = (change * torch.arange(len(change))).sum() / change.sum()
                found.append((place + 3.5, float(middle)))
    for grid, found in zip(grids_of(backbone), stages):
        firsts = [place - grid.stride[0] * cell for place, cell in found]
        assert abs(sum(firsts) / len(firsts) - grid.first[0]) < grid.stride[0] / 5
    # Not what a map cut into equal cells has.
    assert abs(grid.first[0] - 15.5) > 3


class Straight(TorchFunctionMode):
    """Runs a network as a linear one: what remains is where its layers look.

    Norms and activations change nothing, a maximum is a mean, gates are open, and in
    attention each patch attends to itself: none of them looks at a fixed place.
    """

    SAME = re.compile("(leaky_)?relu_?|hardtanh|hardswish|silu|gelu|.*_norm")
    OPEN = re.compile("(hard)?sigmoid|clamp_")

    def __torch_function__(self, func, types, args=(), kwargs=None):
        name, kwargs = getattr(func, "__name__", ""), kwargs or {}
        if self.SAME.fullmatch(name):
            return args[0]
        if self.OPEN.fullmatch(name):
            return torch.ones_like(args[0])
        if name == "softmax":
            return torch.eye(args[0].shape[-1]).to(args[0]).expand_as(args[0])
        if name == "scaled_dot_product_attention":
            return args[2]
        if name == "max_pool2d":
            return mean_pool2d(*args, **kwargs)
        return func(*args, **kwargs)


def mean_pool2d(
    maps, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, **_
):
    return F.avg_pool2d(maps, kernel_size, stride, padding, ceil_mode)


def straightened(backbone):
    """The backbone as a linear network with equal positive weights."""
    backbone.double().requires_grad_(False)
    for weights in backbone.parameters():
        linear = weights.ndim in (2, 4)  # not biases and embeddings of positions
        weights.fill_(1 / weights[0].numel() if linear else 0)

    def run(image):
        with Straight():
            return backbone(image)

    return run


def where_cells_look(run, height=64, width=768):
    """Of each map the stride and the place of the first cell, were it in the middle.

    In a linear network a cell's answer to an image that is as bright as its x, divided
    by that to an image of ones, is the mean x of what it looks at. Cells that were
    upsampled look at the same places, so it is the mean of those in 64 pixels.
    """
    images = torch.ones(2, 3, height, width, dtype=torch.float64)
    images[1] = torch.arange(width)
    with torch.no_grad():
        for maps in run(images):
            ones, ramp = maps[:, :, maps.shape[2] // 2].sum(dim=1)
            stride = width // len(ones)
            passed = stride * torch.arange(len(ones))
            middle = slice((width - 64) // 2 // stride, (width + 64) // 2 // stride)
            yield stride, (ramp / ones - passed)[middle].mean().item()


BACKBONE_FILES = Path(__file__).parents[2] / "configs/_base_/backbones"
# Where branches that look at different places meet, weights decide.
MIXED = ["bninception", "hrnet-w18", "tresnet-m"]
TRACED = sorted(
    path.stem
    for path in BACKBONE_FILES.glob("*.py")
    if path.stem not in MIXED and "_" not in path.stem  # other weights of the same
)


def from_file(name):
    file = Config.fromfile(BACKBONE_FILES / f"{name}.py")
    settings = dict(file.backbone, out_indices=file.stages, init_cfg=None)
    del settings["_delete_"]
    if settings["type"] == "TimmFeatures":
        pytest.importorskip("timm")
    if name.startswith(("swin", "vit")):
        settings["arch"] = shallow(file.backbone)
    return build(dict(settings, _scope_="mmpar"))


LARGE = ("convnext-b", "r101", "swin-b", "swin-s", "vit-b")  # others have their layers


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(name, marks=pytest.mark.slow if name in LARGE else ())
        for name in TRACED
    ],
)
def test_grids_are_where_a_network_of_equal_weights_looks(file):
    backbone = from_file(file)
    grids = cell_grids(backbone, (64, 64), torch.zeros(1))
    found = list(where_cells_look(straightened(backbone)))
    assert [grid.stride for grid in grids] == [(stride, stride) for stride, _ in found]
    for grid, (_, first) in zip(grids, found):
        # No weight is drawn, so only the borders, far away, leave a trace.
        assert grid.first == pytest.approx((first, first), abs=0.01)


@pytest.mark.parametrize(
    ("file", "tolerance"),  # in pixels
    [
        ("bninception", 0.5),
        pytest.param("tresnet-m", 0.5, marks=pytest.mark.slow),
        # A cell looks at the whole image, whose size then decides as well.
        pytest.param("hrnet-w18", 2.5, marks=pytest.mark.slow),
    ],
)
def test_grids_that_depend_on_weights_are_measured_where_equal_ones_look(
    file, tolerance
):
    run = straightened(from_file(file))
    grids = cell_grids(run, (64, 32), torch.zeros(1, dtype=torch.float64))
    for grid, (stride, first) in zip(grids, where_cells_look(run, 128)):
        assert grid.stride == (stride, stride)
        assert grid.first == pytest.approx((first, first), abs=tolerance)


@pytest.mark.parametrize("stride", [2, 4, 8])
def test_where_maps_were_upsampled_the_place_is_the_mean_of_the_cells(stride):
    def run(image):
        coarse, fine = F.avg_pool2d(image, 32), F.avg_pool2d(image, 3, stride, 1)
        return [F.interpolate(coarse, scale_factor=32 // stride) + fine]

    (grid,) = cell_grids(run, (64, 32), torch.zeros(1))
    # With a stride of 4, eight cells look at 15.5 and are themselves at 0, 4, ... 28:
    # 1.5 in the mean; the others look at 0.
    assert grid.first == pytest.approx(((stride - 1) / 4,) * 2, abs=1e-4)


@pytest.mark.parametrize(
    ("spread", "size", "only_size"),
    [
        (80, (64, 32), None),  # measured on 320 x 288, where the middle cell is at 128
        (40, (120, 110), (120, 110)),  # is at 64, nearer to the right and lower border
    ],
)
def test_a_wide_view_is_not_drawn_to_the_middle_of_the_image(spread, size, only_size):
    bell = (-((torch.arange(401.0) - 200) / spread).square() / 2).exp()
    wide = bell.outer(bell).expand(1, 3, -1, -1)

    def run(image):
        if image.shape[2:] != (only_size or image.shape[2:]):
            raise ValueError("not that size")
        view = F.conv2d(image, wide, stride=64, padding=200)
        return [view + F.avg_pool2d(image, 3, 64).sum(dim=1)]

    (grid,) = cell_grids(run, size, torch.zeros(1))
    assert grid.first == pytest.approx((0, 0), abs=0.01)


def two_branches(image):
    """In x one looks at 4 i, the other at 4 i + 1.5; in y both at 8 i."""
    padded = F.avg_pool2d(image, 3, (8, 4), padding=1)
    return [padded + F.avg_pool2d(image, (3, 4), (8, 4), padding=(1, 0))]


def two_coarse_branches(image):
    """In x one looks at 64 i, the other at 64 i + 1, both 20 pixels far."""
    centred = F.avg_pool2d(image, (3, 41), (4, 64), padding=(1, 20))
    return [centred + F.avg_pool2d(image, (3, 43), (4, 64), padding=(1, 20))]


def test_a_cell_of_two_branches_lies_in_the_middle_of_both():
    def run(image):
        (both,) = two_branches(image)
        return [both, F.avg_pool2d(both, 2)]

    grid, halved = cell_grids(run, (64, 32), torch.zeros(1))
    assert (grid.stride, halved.stride) == ((4, 8), (8, 16))
    assert grid.first == pytest.approx((0.75, 0), abs=1e-4)
    assert halved.first == pytest.approx((2.75, 4), abs=1e-4)


@pytest.mark.parametrize("error", [AssertionError, RuntimeError, ValueError])
@pytest.mark.parametrize(
    ("branches", "size", "expected"),
    [
        (two_branches, (64, 64), (0.75, 0)),
        (two_coarse_branches, (128, 192), (0.5, 0)),
    ],
)
def test_models_of_one_size_are_measured_in_the_middle_of_that(
    branches, size, expected, error
):
    def run(image):
        if image.shape[2:] != size:
            raise error("not that size")
        return branches(image)

    (grid,) = cell_grids(run, size, torch.zeros(1))
    assert grid.first == pytest.approx(expected, abs=1e-4)


def test_grids_are_measured_only_where_that_is_needed_and_wanted():
    shapes = []

    def run(image):
        shapes.append(tuple(image.shape))
        return [F.avg_pool2d(image, 4)] if certain else two_branches(image)

    certain = True
    assert cell_grids(run, (64, 32), torch.zeros(1)) == [CellGrid((1.5, 1.5), (4, 4))]
    certain = False
    found = cell_grids(run, (64, 32), torch.zeros(1), measure=False)
    assert found == [CellGrid((0, 0), (4, 8))]  # of the branch named first
    assert shapes == [(1, 3, 64, 32)] * 2
    cell_grids(run, (64, 32), torch.zeros(1))
    assert shapes[2:] == [(1, 3, 64, 32), *[(1, 3, 320, 288)] * 4]


def test_grids_are_measured_alike_each_time():
    def run(image):
        padded, patches = F.avg_pool2d(image, 3, 4, padding=1), F.avg_pool2d(image, 4)
        return [torch.cat((padded, patches), dim=1).relu()]

    torch.manual_seed(1)
    once = cell_grids(run, (64, 32), torch.zeros(1))
    torch.manual_seed(2)
    state = torch.get_rng_state()
    assert cell_grids(run, (64, 32), torch.zeros(1)) == once
    assert torch.equal(torch.get_rng_state(), state)  # nor is training disturbed


class Change(nn.Module):
    """How far a stage's map is from that of an empty image."""

    def __init__(self, backbone, stage):
        super().__init__()
        self.backbone, self.stage = backbone, stage
        with torch.no_grad():
            self.empty = backbone(torch.zeros(1, 3, *SIZE))[stage]

    def forward(self, image):
        return ((self.backbone(image)[self.stage] - self.empty).abs(),)


def patch_at(x, y):
    image = torch.zeros(1, 3, *SIZE)
    colour = torch.tensor([2.0, -2.0, 1.0])[:, None, None]
    image[:, :, y - 4 : y + 4, x - 4 : x + 4] = colour
    return image


def patch_detector(backbone, stage):
    """A model whose one attribute is how much of the image is not empty."""
    change = Change(backbone, stage)
    head = LinearPARHead(dict(names=["patch"]), change.empty.shape[1])
    nn.init.ones_(head.classifier.weight)
    pooling = dict(type="mmpretrain.GlobalAveragePooling")
    return ImageClassifier(change, pooling, head)


@pytest.mark.parametrize("config", FAMILIES, ids=name)
def test_the_peak_lies_on_a_lone_patch_and_moves_with_it(config):
    backbone = build(config)
    strides = [int(grid.stride[0]) for grid in grids_of(backbone)]
    stage = strides.index(8) if 8 in strides else 0
    stride = strides[stage]
    explainer = GradCAM(patch_detector(backbone, stage))
    peaks = []
    for x in (48, 48 + stride, 48 + 2 * stride):
        peaks.append(map_peak(explainer(patch_at(x, 96))[0, 0].numpy()))
        assert abs(peaks[-1][0] - x) <= stride / 2 + 0.5
        assert abs(peaks[-1][1] - 96) <= stride / 2 + 0.5
    assert peaks[1][0] - peaks[0][0] == stride == peaks[2][0] - peaks[1][0]


@pytest.mark.parametrize("file", [n for n in TRACED if n not in LARGE])
def test_the_peak_of_every_family_moves_as_far_as_a_lone_patch(file):
    """Where it lies, random weights decide within a cell or two; the ramps tell."""
    backbone = from_file(file)
    stage = [grid.stride[0] for grid in grids_of(backbone)].index(16)
    explainer = GradCAM(patch_detector(backbone, stage))
    here, right, below = (
        map_peak(explainer(patch_at(*place))[0, 0].numpy())
        for place in ((56, 88), (72, 88), (56, 104))
    )
    # To a pixel, for where cells are nearly alike, the highest is a matter of rounding.
    assert (right - here).tolist() == pytest.approx([16, 0], abs=1)
    assert (below - here).tolist() == pytest.approx([0, 16], abs=1)


@pytest.mark.parametrize("cells", [(6, 4), (12, 8), (7, 5)])
def test_maps_of_equal_cells_are_resized_as_torch_does(cells):
    maps = torch.rand(2, 3, *cells, dtype=torch.float64)
    grid = CellGrid.of_equal_cells(cells, SIZE)
    expected = F.interpolate(maps, SIZE, mode="bilinear")
    torch.testing.assert_close(grid.resize(maps, SIZE), expected)


def test_maps_are_resized_on_devices_that_autocast_does_not_know():
    maps = torch.zeros(1, 6, 4, device="meta")
    assert CellGrid((5.0, 1.0), (32.0, 32.0)).resize(maps, SIZE).shape == (1, *SIZE)


def test_a_cell_is_brightest_where_it_looks():
    maps = torch.zeros(1, 6, 4)
    maps[0, 2, 3] = 1
    image = CellGrid((5.0, 1.0), (32.0, 32.0)).resize(maps, SIZE)[0]
    assert map_peak(image.numpy()).tolist() == [5.0 + 96 + 0.5, 1.0 + 64 + 0.5]


def test_a_grid_cannot_be_changed_for_it_is_shared():
    with pytest.raises(FrozenInstanceError):
        CellGrid().first = (1.0, 1.0)


def test_places_go_to_cells_and_back():
    grid = CellGrid((5.0, -1.0), (16.0, 8.0))
    pixels = torch.rand(7, 2, dtype=torch.float64) * 128
    torch.testing.assert_close(grid.to_pixels(grid.to_cells(pixels)), pixels)
    assert grid.to_cells(torch.tensor([5.5, 7.5])).tolist() == [0, 1]


@pytest.mark.parametrize(("first", "between"), [(0.0, 16.5), (31.0, 47.5)])
def test_the_outermost_cells_reach_to_the_border(first, between):
    grid = CellGrid((first, first), (32.0, 32.0))
    edges = torch.tensor([[0.0, 0.0], [0.25, 1.0], [1.0, 1.0], [3.0, 4.0], [4.0, 6.0]])
    found = grid.edges_to_pixels(edges, (6, 4), SIZE)
    assert found.tolist() == [
        [0, 0],
        [max(between - 24, 0), between],
        [between, between],
        [between + 64, between + 96],
        [128, 192],
    ]


def test_an_outermost_cell_keeps_its_value_for_half_a_cell_and_fades():
    grid = CellGrid((3.0, 4.0), (4.0, 8.0))
    columns = torch.tensor([0.5, 1, 1, 1, 1, 1, 0.5, 0, 0])
    rows = torch.tensor([1.0, 1, 1, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25, 0, 0])
    found = grid.resize(torch.ones(1, 1, 1), (14, 9))
    torch.testing.assert_close(found, torch.outer(rows, columns)[None])


def test_maps_that_do_not_come_from_the_image_are_refused():
    with pytest.raises(ValueError, match=r"shape \(1, 2, 3, 4\) was not computed"):
        cell_grids(lambda image: [torch.zeros(1, 2, 3, 4)], SIZE, torch.zeros(1))


# One for each channel, each channel and row, each channel and column.
GATES = {"channels": (1, 1), "rows": (None, 1), "columns": (1, None)}


@pytest.mark.parametrize("size", [SIZE, (64, 32), (48, 48)], ids=str)
@pytest.mark.parametrize("kind", GATES)
def test_a_gate_leaves_the_grid_of_its_map_whichever_is_named_first(kind, size):
    excite = nn.Conv2d(3, 3, 1)

    def gated(maps):
        gate = excite(F.adaptive_avg_pool2d(maps, GATES[kind])).sigmoid()
        return [gate * maps, maps * gate, gate.expand_as(maps) * maps]

    def run(image):
        coarse = F.avg_pool2d(image, 32, ceil_mode=True)
        return gated(F.avg_pool2d(image, 8)) + gated(coarse)

    found = cell_grids(run, size, torch.zeros(1))
    fine, coarse = CellGrid((3.5, 3.5), (8, 8)), CellGrid((15.5, 15.5), (32, 32))
    assert found == [fine] * 3 + [coarse] * 3


def test_a_gate_from_neighbouring_channels_leaves_the_grid_of_its_map():
    across_channels = nn.Conv1d(1, 1, 3, padding=1)  # as in ECA-Net

    def run(image):
        maps = F.avg_pool2d(image, 8)
        gate = across_channels(maps.mean((2, 3))[:, None]).sigmoid()
        return [gate[0, 0][:, None, None] * maps]

    (grid,) = cell_grids(run, SIZE, torch.zeros(1))
    assert grid == CellGrid((3.5, 3.5), (8, 8))


RESIZING = [
    *(dict(scale_factor=scale) for scale in (1 / 4, 1 / 3, 2 / 3, 3 / 2, 4)),
    *(dict(scale_factor=scale, mode="bilinear") for scale in (1 / 4, 2 / 3, 3 / 2, 4)),
    dict(scale_factor=3, mode="bicubic"),
    dict(scale_factor=1 / 3, mode="area"),
    *(dict(scale_factor=scale, mode="nearest-exact") for scale in (1 / 3, 4)),
    *(
        dict(scale_factor=scale, mode=mode, antialias=True)
        for scale in (1 / 3, 4)
        for mode in ("bilinear", "bicubic")
    ),
]


@pytest.mark.parametrize("how", RESIZING, ids=str)
def test_resized_maps_look_where_a_ramp_is_as_bright(how):
    image = torch.arange(96.0, dtype=torch.float64).expand(1, 3, 48, 96)
    (grid,) = cell_grids(lambda x: [F.interpolate(x, **how)], (48, 96), image)
    bright = F.interpolate(image, **how)[0, 0, 0]
    assert grid.stride == (96 / len(bright),) * 2
    inside = slice(len(bright) // 6, len(bright) // 6 * 5)  # away from the border
    passed = grid.stride[0] * torch.arange(len(bright)).to(bright)
    first = (bright - passed)[inside].mean().item()
    assert grid.first == pytest.approx((first, first), abs=1e-6)


def test_a_map_that_is_smaller_without_padding_is_not_merged():
    (grid,) = cell_grids(lambda x: [F.max_pool2d(x, 17, 16)], (48, 48), torch.zeros(1))
    assert grid == CellGrid((8, 8), (16, 16))  # a third would end at 49


def test_cells_of_channels_are_blocks_of_the_cell_that_they_come_from():
    def run(image):
        return [F.pixel_shuffle(F.avg_pool2d(image, 8).repeat(1, 4, 1, 1), 2)]

    (grid,) = cell_grids(run, SIZE, torch.zeros(1))
    assert grid == CellGrid((1.5, 1.5), (4, 4))


@pytest.mark.parametrize("antialias", [False, True])
def test_corners_may_lie_on_corners(antialias):
    def run(image):
        corners = dict(mode="bilinear", align_corners=True, antialias=antialias)
        return [F.interpolate(image, size, **corners) for size in ((2, 3), (1, 1))]

    some, lone = cell_grids(run, SIZE, torch.zeros(1))
    assert some == CellGrid((0, 0), (63.5, 191))
    assert lone.first == (0, 0)


def test_slices_of_scripted_models_are_followed():
    def slices(maps):  # of which a script says no more than is written
        return maps[:, :, 1:, :], maps[..., 2:], maps[:, :, :-1]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of newer versions of torch
        scripted = torch.jit.script(slices)
    found = cell_grids(lambda x: scripted(F.avg_pool2d(x, 2)), SIZE, torch.zeros(1))
    assert [grid.first for grid in found] == [(0.5, 2.5), (4.5, 0.5), (0.5, 0.5)]


def test_cells_that_slices_merge_are_equal_blocks():
    def run(image):
        corners = [image[:, :, y::2, x::2] for y, x in ((1, 1), (0, 1), (1, 0), (0, 0))]
        return [F.conv2d(torch.cat(corners, 1), torch.ones(8, 12, 1, 1))]

    (grid,) = cell_grids(run, SIZE, torch.zeros(1))
    assert grid == CellGrid((0.5, 0.5), (2, 2))


def test_cells_that_a_reshape_merges_are_equal_blocks():
    def run(image):
        halved = F.avg_pool2d(image, 2)
        rows = halved.unflatten(2, (-1, 2)).mean(3)
        columns = halved.unflatten(3, (-1, 4)).mean(4)
        return [F.pixel_unshuffle(halved, 4), rows, columns]

    found = cell_grids(run, SIZE, torch.zeros(1))
    assert [(g.first, g.stride) for g in found] == [
        ((3.5, 3.5), (8, 8)),
        ((0.5, 1.5), (2, 4)),
        ((3.5, 0.5), (8, 2)),
    ]


def test_resampling_padding_and_slices_are_followed():
    def run(image):
        halved = F.avg_pool2d(image, 2)  # 2 i + 0.5
        doubled = F.interpolate(halved, scale_factor=2, mode="bilinear")
        nearest = F.interpolate(halved, scale_factor=2)
        sized = F.interpolate(halved, SIZE)
        padded = F.pad(image, (3, 0, 1, 0))
        rows = halved[:, :, 4:]
        deconvolved = F.conv_transpose2d(halved, torch.ones(3, 3, 4, 4), None, 2, 1)
        blocks = F.adaptive_avg_pool2d(image, (96, 32))
        gated = halved.mean((2, 3), keepdim=True).sigmoid() * halved
        last_rows = halved[:, :, -92:]  # of 96
        corners = F.interpolate(  # 0.5 pixels from one to the next
            image, (383, 255), mode="bilinear", align_corners=True
        )
        columns, all_but_one = halved[..., 4:], halved[..., 1:]
        all_rows = halved[:, :, -100:]
        pool = nn.AvgPool2d((2,), (3,), (1,), ceil_mode=True, count_include_pad=False)
        weights = torch.ones(3, 3, 3, 3)
        dilated = F.conv2d(image, weights, None, 2, 1, 2)
        spread = F.conv_transpose2d(halved, weights, None, 2, 1, dilation=2)
        maxima = F.max_pool2d(image, 3, 2, 1, 2)
        broad = F.avg_pool2d(image, (1, 4))
        thirds = F.max_pool2d(image, 3)
        widened = F.pad(image, (3, 0))
        return [
            *(halved, doubled, nearest, padded, rows, deconvolved, blocks, gated),
            *(sized, last_rows, corners, columns, dilated, spread, maxima, broad),
            *(thirds, widened, all_but_one, all_rows, pool(image)),
        ]

    found = cell_grids(run, SIZE, torch.zeros(1))
    assert [(g.first, g.stride[0]) for g in found] == [
        ((0.5, 0.5), 2),
        ((0, 0), 1),
        ((0, 0), 1),
        ((-3, -1), 1),
        ((0.5, 8.5), 2),
        ((0, 0), 1),
        ((1.5, 0.5), 4),
        ((0.5, 0.5), 2),
        ((0, 0), 1),
        ((0.5, 8.5), 2),
        ((0, 0), 0.5),
        ((8.5, 0.5), 2),
        ((1, 1), 2),
        ((-0.5, -0.5), 1),
        ((1, 1), 2),
        ((1.5, 0), 4),
        ((1, 1), 3),
        ((-3, 0), 1),
        ((2.5, 0.5), 2),
        ((0.5, 0.5), 2),
        ((-0.5, -0.5), 3),
    ]
