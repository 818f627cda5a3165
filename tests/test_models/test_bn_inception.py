"""BN-Inception has the layers, shapes and habits of the published one."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmpar.models import BNInception


@pytest.fixture(scope="module")
def backbone() -> BNInception:
    torch.manual_seed(0)
    return BNInception(out_indices=(0, 1, 2)).eval()


def test_it_has_as_many_parameters_as_the_public_weights(backbone: BNInception) -> None:
    """11,295,240 with the classifier of 1,000 classes, in 69 convolutions."""
    count = sum(parameter.numel() for parameter in backbone.parameters())
    assert count + 1024 * 1000 + 1000 == 11_295_240
    assert sum(isinstance(m, nn.Conv2d) for m in backbone.modules()) == 69


@pytest.mark.parametrize(
    ("size", "maps"),
    [
        ((256, 128), [(32, 16), (16, 8), (8, 4)]),
        ((224, 224), [(28, 28), (14, 14), (7, 7)]),
        ((200, 75), [(25, 10), (13, 5), (7, 3)]),
    ],
)
def test_stages_have_strides_8_16_and_32(
    backbone: BNInception, size: tuple[int, int], maps: list[tuple[int, int]]
) -> None:
    stages = backbone(torch.randn(1, 3, *size))
    assert [stage.shape[1] for stage in stages] == [320, 608, 1024]
    assert [tuple(stage.shape[2:]) for stage in stages] == maps


def unit(backbone: BNInception, name: str, x: Tensor, stride: int = 1) -> Tensor:
    conv, norm = getattr(backbone, name), getattr(backbone, f"{name}_bn")
    x = F.conv2d(x, conv.weight, conv.bias, stride, padding=conv.weight.shape[-1] // 2)
    return F.batch_norm(
        x, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=1e-5
    ).relu()


def test_blocks_pool_by_the_mean_but_5b_and_the_halving_ones_by_the_maximum(
    backbone: BNInception,
) -> None:
    """Block by block as in the Caffe model, at a size that it can do."""
    captured = {}
    original = backbone._apply_block

    def spy(block: str, x: Tensor) -> Tensor:
        captured[block] = (x, original(block, x))
        return captured[block][1]

    backbone._apply_block = spy
    try:
        backbone(torch.randn(1, 3, 64, 64))
    finally:
        del backbone._apply_block
    assert "".join(captured) == "3a3b3c4a4b4c4d4e5a5b"
    for block, (x, output) in captured.items():
        name = f"inception_{block}"
        halving = block in ("3c", "4e")
        stride = 2 if halving else 1
        three = unit(backbone, f"{name}_3x3_reduce", x)
        double = unit(backbone, f"{name}_double_3x3_reduce", x)
        double = unit(backbone, f"{name}_double_3x3_1", double)
        parts = [
            unit(backbone, f"{name}_3x3", three, stride),
            unit(backbone, f"{name}_double_3x3_2", double, stride),
        ]
        if halving:
            parts.append(F.max_pool2d(x, 3, 2, ceil_mode=True))
        else:
            pool = nn.MaxPool2d if block == "5b" else nn.AvgPool2d
            pooled = pool(3, stride=1, padding=1)(x)
            parts.insert(0, unit(backbone, f"{name}_1x1", x))
            parts.append(unit(backbone, f"{name}_pool_proj", pooled))
        torch.testing.assert_close(output, torch.cat(parts, 1), msg=block)


def test_public_weights_load_in_both_layouts_of_batch_norm(
    backbone: BNInception, tmp_path
) -> None:
    state = dict(backbone.state_dict())
    state["last_linear.weight"] = torch.zeros(1000, 1024)
    for name, value in list(state.items()):
        if "_bn." in name and value.ndim == 1:
            state[name] = value[None]
    torch.save(state, tmp_path / "caffe.pth")
    checkpoint = str(tmp_path / "caffe.pth")
    other = BNInception(init_cfg=dict(type="Pretrained", checkpoint=checkpoint))
    other.init_weights()
    for name, value in other.state_dict().items():
        torch.testing.assert_close(value, backbone.state_dict()[name], msg=name)


def test_only_the_stages_that_are_asked_for_are_built() -> None:
    shallow = BNInception(out_indices=(0,))
    assert [s.shape[1] for s in shallow(torch.randn(1, 3, 32, 32))] == [320]
    assert not any("inception_4" in name for name, _ in shallow.named_modules())


@pytest.mark.parametrize(
    ("frozen_stages", "first_free"),
    [(-1, "conv1"), (0, "inception_3a"), (1, "inception_3c"), (2, "inception_4e")],
)
def test_frozen_stages_keep_weights_and_statistics(
    frozen_stages: int, first_free: str
) -> None:
    backbone = BNInception(frozen_stages=frozen_stages)
    backbone.train()
    names = [name for name, _ in backbone.named_children()]
    border = next(i for i, name in enumerate(names) if name.startswith(first_free))
    for i, name in enumerate(names):
        module = getattr(backbone, name)
        assert module.training == (i >= border), name
        assert all(p.requires_grad == (i >= border) for p in module.parameters()), name


def test_norm_eval_keeps_statistics_but_trains_weights() -> None:
    backbone = BNInception(norm_eval=True)
    backbone.train()
    norms = [m for m in backbone.modules() if isinstance(m, nn.BatchNorm2d)]
    assert not any(norm.training for norm in norms)
    assert all(norm.weight.requires_grad for norm in norms)


@pytest.mark.parametrize(
    "arguments",
    [dict(out_indices=(3,)), dict(out_indices=()), dict(frozen_stages=4)],
)
def test_stages_that_do_not_exist_are_an_error(arguments: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(arguments))):
        BNInception(**arguments)
