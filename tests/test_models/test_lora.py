"""LoRA changes nothing at first, trains little, and merges into plain weights."""

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

from mmpar.models import OpenCLIPTower
from mmpar.models.layers.lora import LoRA, add_lora, fit_lora
from mmpar.models.weights import load_weights
from tests.fixtures.tiny_towers import SIZE, TOWERS

pytest.importorskip("open_clip")

TARGETS = dict(
    clip=r".*\.attn\.(in_proj_weight|out_proj\.weight)",
    siglip=r".*\.attn\.(qkv|proj)\.weight",
)


def pair(kind):
    """A frozen tower, one of the same weights with LoRA, and images."""
    torch.manual_seed(0)
    plain = OpenCLIPTower(TOWERS[kind], patches=True)
    lora = dict(targets=TARGETS[kind], rank=4, alpha=8)
    adapted = OpenCLIPTower(TOWERS[kind], patches=True, lora=lora)
    assert load_weights(adapted, plain.state_dict()).is_exact
    return plain, adapted, torch.randn(2, 3, SIZE[kind], SIZE[kind])


def train(tower):
    """Updates as if they were trained."""
    for part in tower.modules():
        if isinstance(part, LoRA):
            nn.init.normal_(part.up, std=0.05)


def test_updates_begin_as_the_official_code_s():
    torch.manual_seed(0)
    lora = LoRA(torch.zeros(5, 400), rank=50, alpha=3)
    assert not lora.up.any()
    assert 0.99 < lora.down.abs().max().item() * 400**0.5 <= 1
    assert lora.down.mean().abs() < 1e-3


def test_an_update_is_the_product_of_two_small_matrices():
    torch.manual_seed(0)
    layer = nn.Linear(6, 5).double()
    weight, image = layer.weight.detach().clone(), torch.randn(3, 6).double()
    before = layer(image)
    add_lora(layer, "weight", rank=2, alpha=3)
    assert torch.equal(layer(image), before)
    assert not layer.parametrizations.weight.original.requires_grad
    train(layer)
    (update,) = layer.parametrizations["weight"]
    small = image @ update.down.T @ update.up.T
    expected = image @ weight.T + layer.bias + 3 / 2 * small
    torch.testing.assert_close(layer(image), expected, rtol=0, atol=1e-12)
    assert small.abs().max() > 0.01


@pytest.mark.parametrize("kind", TOWERS)
@torch.no_grad()
def test_it_begins_as_the_frozen_tower(kind):
    plain, adapted, images = pair(kind)
    assert torch.equal(adapted(images)[0], plain(images)[0])
    train(adapted)
    assert not torch.allclose(adapted(images)[0], plain(images)[0], atol=1e-3)


@pytest.mark.parametrize("kind", TOWERS)
def test_updates_alone_have_gradients(kind):
    _, adapted, images = pair(kind)
    train(adapted.train())
    adapted(images)[0].square().sum().backward()
    with_gradient = {n for n, p in adapted.named_parameters() if p.grad is not None}
    expected = {
        f"{name}.{part}"
        for name, module in adapted.named_modules()
        if isinstance(module, LoRA)
        for part in ("down", "up")
    }
    assert with_gradient == expected
    assert len(expected) == dict(clip=8, siglip=48)[kind]
    assert not any(module.training for module in adapted.modules())


@pytest.mark.parametrize("kind", TOWERS)
@torch.no_grad()
def test_a_tower_without_lora_loads_the_merged_weights(kind):
    plain, adapted, images = pair(kind)
    names = list(plain.state_dict())
    train(adapted)
    assert load_weights(plain, adapted.state_dict()).is_exact
    plain.load_state_dict(adapted.state_dict())  # as torch does it, too
    assert list(plain.state_dict()) == names
    torch.testing.assert_close(plain(images)[0], adapted(images)[0], rtol=0, atol=1e-5)


@torch.no_grad()
def test_its_own_weights_are_loaded_as_they_are():
    _, adapted, images = pair("clip")
    train(adapted)
    other = pair("clip")[1]
    assert load_weights(other, adapted.state_dict()).is_exact
    assert torch.equal(other(images)[0], adapted(images)[0])
    assert load_weights(other, pair("clip")[0].state_dict()).is_exact
    assert torch.equal(other(images)[0], pair("clip")[0](images)[0])


@pytest.mark.parametrize(
    "change",
    [
        lambda parts: parts.pop("layer.parametrizations.weight.0.up"),
        lambda parts: parts["layer.parametrizations.weight.0.up"].resize_(10**6, 2),
        lambda parts: parts.update({"layer.parametrizations.weight.0.down": 3}),
        lambda parts: parts.update(dict.fromkeys(parts, 3)),
        lambda parts: parts.update(
            {n: v.half() for n, v in parts.items() if n.endswith("down")}
        ),
        lambda parts: parts.update(
            {"layer.parametrizations.weight.0.scale": torch.ones(5, 6)}
        ),
    ],
)
def test_parts_that_do_not_fit_are_not_merged(change):
    model = nn.Sequential()
    model.layer = nn.Linear(6, 5)
    adapted = nn.Sequential()
    adapted.layer = nn.Linear(6, 5)
    add_lora(adapted, r"layer\.weight", rank=2, alpha=2)
    weights = {name: v.detach().clone() for name, v in adapted.state_dict().items()}
    whole = dict(weights)
    fit_lora(model, whole, "")
    assert {*whole} == {"layer.weight", "layer.bias"}
    change(weights)
    before = {*weights}
    fit_lora(model, weights, "")
    assert {*weights} == before


def test_weights_of_other_parts_are_left_as_they_are():
    adapted = nn.Linear(6, 5)
    add_lora(adapted, "weight", rank=2, alpha=2)
    weights = {f"other.{name}": value for name, value in adapted.state_dict().items()}
    before = [*weights]
    fit_lora(nn.Linear(6, 5), weights, "own.")
    assert [*weights] == before


def test_it_is_for_matrices_of_a_frozen_tower():
    lora = dict(targets=r".*\.mlp\..*", rank=1, alpha=2)
    tower = OpenCLIPTower(TOWERS["clip"], lora=lora)
    adapted = [n for n, m in tower.named_modules() if parametrize.is_parametrized(m)]
    assert len(adapted) == 4
    assert all(name.endswith(("c_fc", "c_proj")) for name in adapted)
    with pytest.raises(ValueError, match="frozen"):
        OpenCLIPTower(TOWERS["clip"], frozen=False, lora=lora)
    with pytest.raises(ValueError, match=r"'c_fc'; there are .*c_fc\.weight"):
        OpenCLIPTower(TOWERS["clip"], lora=dict(lora, targets="c_fc"))
    with pytest.raises(ValueError, match="at least 1, got 0"):
        OpenCLIPTower(TOWERS["clip"], lora=dict(lora, rank=0))
