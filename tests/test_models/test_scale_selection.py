"""Learned scales mix levels exactly, end in one a region, and find the right one."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from mmengine.logging import MessageHub, MMLogger
from mmengine.model import ExponentialMovingAverage
from mmengine.visualization import Visualizer
from torch import nn

from mmpar.engine import ScaleAnnealingHook
from mmpar.models import SSPNetHead, SSPNetNeck
from mmpar.models.layers import ScaleSelection, max_pyramid_pool
from tests.test_models.backbone_features import backbone_features
from tests.test_models.scale_task import ScaleModel, scale_batch, train
from tests.test_models.test_sspnet import CHANNELS, REGIONS, SCHEMA

LOGITS = (  # the best level of each region: 2, 0, 3, 1
    (0.1, 0.2, 0.9, -0.3),
    (1.5, 0.2, 0.9, -0.3),
    (0.1, -2.0, 0.9, 1.3),
    (0.1, 0.2, -0.9, -0.3),
)
LEVELS = (2, 0, 3, 1)
FORMS = ("BlockPLE", "SparsePLE", "KeypointPLE", "IdentityPLE")


def set_logits(scales, rows):
    """Give each region its row of logits."""
    for scale, row in zip(scales.regions.values(), rows):
        scale.logits.data = torch.as_tensor(row).to(scale.logits)


def logit_gradients(neck):
    """``(R, L)``."""
    scales = neck.scale_selection.regions.values()
    return torch.stack([scale.logits.grad for scale in scales])


def classified(head, pooled):
    """Logits by region from pooled features in the order of the regions."""
    parts = zip(head.classifiers.values(), pooled)
    return torch.cat([classifier(features) for classifier, features in parts], dim=1)


def fixed_at(levels):
    """The regions, on other levels."""
    return {
        name: dict(fields, level=level + 1)
        for (name, fields), level in zip(REGIONS.items(), levels)
    }


def build(ple="BlockPLE"):
    """A neck with learned scales and its head, in float64."""
    torch.manual_seed(0)
    neck = SSPNetNeck(
        CHANNELS,
        {name: dict(rows=fields["rows"]) for name, fields in REGIONS.items()},
        out_channels=4,
        scale=dict(mode="learned"),
        ple=dict(type=ple),
    ).double()
    head = SSPNetHead(SCHEMA, REGIONS, in_channels=4, dropout=0.0).double()
    for parameter in [*neck.parameters(), *head.parameters()]:
        nn.init.normal_(parameter, std=0.4)
    set_logits(neck.scale_selection, LOGITS)
    return neck, head


def fixed_twin(neck, levels, ple="BlockPLE"):
    """A neck of fixed scales with the same weights."""
    twin = SSPNetNeck(
        CHANNELS, fixed_at(levels), out_channels=4, ple=dict(type=ple)
    ).double()
    own = twin.state_dict().keys()
    twin.load_state_dict({k: v for k, v in neck.state_dict().items() if k in own})
    return twin


def stages():
    return backbone_features(CHANNELS, 64, 32)


def keypoints():
    generator = torch.Generator().manual_seed(2)
    points = torch.rand((2, 17, 3), dtype=torch.float64, generator=generator)
    return torch.cat((points[..., :2], points[..., 2:].mul(3).floor()), dim=-1)


def smooths_run(neck):
    """List that grows by the levels that the pyramid smooths."""
    run = []
    for level, smooth in enumerate(neck.pyramid.smooths):
        smooth.register_forward_hook(lambda *_, level=level: run.append(level))
    return run


def test_every_level_weighs_the_same_at_the_start():
    for names in (("a",), ("a", "b")):
        weights = ScaleSelection(names, 4).weights()
        assert torch.equal(weights, torch.full((len(names), 4), 0.25))


def test_at_an_infinite_temperature_nothing_is_learned_about_scales():
    neck, head = build()
    neck.scale_selection.set_temperature(float("inf"))
    assert torch.equal(
        neck.scale_selection.weights(), torch.full((4, 4), 0.25).double()
    )
    head(neck(stages())).sum().backward()
    assert logit_gradients(neck).abs().max() == 0


def test_the_temperature_sharpens_and_the_choice_is_one_hot():
    scales = ScaleSelection(("a", "b"), 3)
    set_logits(scales, [[0.2, 0.1, 0.0], [0.0, 1.0, 0.5]])
    scales.set_temperature(0.5)
    torch.testing.assert_close(scales.weights(), (scales.logits * 2).softmax(1))
    assert not scales.frozen
    assert scales.levels() == (0, 1)
    loaded = ScaleSelection(("a", "b"), 3)
    loaded.load_state_dict(scales.state_dict())
    assert torch.equal(loaded.weights(), scales.weights())
    scales.freeze()
    assert scales.frozen
    assert scales.weights().tolist() == [[1, 0, 0], [0, 1, 0]]
    set_logits(scales, -scales.logits)
    assert scales.levels() == (0, 1)


@pytest.mark.parametrize("ple", FORMS)
def test_a_search_step_mixes_what_is_pooled_from_every_level(ple):
    neck, head = build(ple)
    x, points = stages(), keypoints()
    mixed = head(neck(x, points))
    pooled = 0
    for level, weights in enumerate(neck.scale_selection.weights().unbind(1)):
        maps = fixed_twin(neck, [level] * 4, ple)(x, points).values()
        parts = [head._pool(one) * w for one, w in zip(maps, weights)]
        pooled = [p + q for p, q in zip(pooled, parts)] if level else parts
    logits = classified(head, pooled)
    torch.testing.assert_close(mixed, logits[:, head.attribute_order])
    inputs = [scale.logits for scale in neck.scale_selection.regions.values()]
    expected = torch.autograd.grad(logits[:, head.attribute_order].sum(), inputs)
    torch.testing.assert_close(torch.autograd.grad(mixed.sum(), inputs), expected)


@pytest.mark.parametrize("ple", FORMS)
def test_a_search_step_equals_one_on_weighted_maps(ple):
    neck, head = build(ple)
    x, points = [stage.requires_grad_() for stage in stages()], keypoints()
    mixed = head(neck(x, points))
    pooled = []
    for maps, weights in neck(x, points).values():
        parts = [max_pyramid_pool(m * w, (1, 2)) for m, w in zip(maps, weights)]
        pooled.append(torch.stack(parts).sum(dim=0))
    logits = classified(head, pooled)
    logits = logits[:, head.attribute_order]
    torch.testing.assert_close(mixed, logits, rtol=1e-12, atol=1e-12)
    inputs = [*x, *neck.parameters(), *head.parameters()]
    gradients = torch.autograd.grad(mixed.square().sum(), inputs)
    expected = torch.autograd.grad(logits.square().sum(), inputs)
    for gradient, wanted in zip(gradients, expected):
        torch.testing.assert_close(gradient, wanted, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("ple", FORMS)
@pytest.mark.parametrize("state", ["eval", "frozen", "fixed"])
def test_eval_and_chosen_levels_equal_the_fixed_mode_and_cost_as_much(ple, state):
    neck, _ = build(ple)
    if state == "frozen":
        neck.scale_selection.freeze()
    elif state == "fixed":
        neck.fix_levels()
    else:
        neck.eval()
    assert not neck.is_searching
    assert tuple(neck.levels().values()) == LEVELS
    twin = fixed_twin(neck, LEVELS, ple)
    run, twins_run = smooths_run(neck), smooths_run(twin)
    x, points = stages(), keypoints()
    ours, theirs = neck(x, points), twin(x, points)
    assert all(torch.equal(ours[name], theirs[name]) for name in REGIONS)
    assert run == twins_run


def test_only_levels_that_are_read_are_smoothed_after_the_choice():
    neck, _ = build()
    set_logits(neck.scale_selection, torch.eye(4)[[2, 2, 3, 2]])
    run = smooths_run(neck)
    neck(stages())
    assert run == [2, 1, 0]
    run.clear()
    neck.scale_selection.freeze()
    neck(stages())
    assert run == [2]


def test_a_chosen_level_that_weighs_all_equals_the_search_before():
    neck, head = build()
    neck.scale_selection.set_temperature(1e-4)
    searched = head(neck(stages()))
    neck.scale_selection.freeze()
    torch.testing.assert_close(searched, head(neck(stages())), rtol=1e-12, atol=1e-12)


def test_the_choice_survives_saving_and_averaged_weights():
    neck, _ = build()
    averaged = ExponentialMovingAverage(neck, momentum=0.01)
    set_logits(neck.scale_selection, -neck.scale_selection.logits)
    averaged.update_parameters(neck)  # the first time copies
    set_logits(neck.scale_selection, LOGITS)
    neck.scale_selection.freeze()
    averaged.update_parameters(neck)
    scales = averaged.module.scale_selection
    assert (scales.logits.argmax(dim=1) != torch.tensor(LEVELS)).all()
    assert scales.frozen
    assert scales.levels() == LEVELS
    other, _ = build()
    other.load_state_dict(averaged.module.state_dict())
    assert other.scale_selection.frozen
    assert tuple(other.levels().values()) == LEVELS


def test_of_equal_weights_the_coarsest_level_is_best():
    scales = ScaleSelection(("a", "b", "c"), 4)
    assert scales.frozen_levels.tolist() == [-1, -1, -1]
    assert scales.levels() == (3, 3, 3)
    set_logits(scales, [[0.0] * 4, [0.5, 0.5, 0, 0], [0.5, 0, 0, 0]])
    assert scales.levels() == (3, 1, 0)
    scales.freeze()
    assert scales.frozen_levels.tolist() == [3, 1, 0]


@pytest.mark.parametrize("ple", FORMS)
def test_a_search_step_under_autocast_is_finite_and_reaches_the_logits(ple):
    neck, head = (part.float() for part in build(ple))
    x = [stage.float() for stage in stages()]
    with torch.autocast("cpu", torch.bfloat16):
        logits = head(neck(x, keypoints().float()))
        loss = F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))
    loss.backward()
    assert loss.isfinite()
    gradient = logit_gradients(neck)
    assert gradient.isfinite().all()
    assert (gradient.abs().amax(dim=1) > 0).all()


@pytest.mark.parametrize("scale", [dict(), dict(mode="fixed")])
def test_fixed_scales_need_a_level(scale):
    regions = dict(top=dict(rows=(0, 1)))
    with pytest.raises(ValueError, match=r"'top' has no level; .* 1 to 4, or"):
        SSPNetNeck(CHANNELS, regions, scale=scale)


@pytest.mark.parametrize(
    ("mode", "match"),
    [("search", r"search_scales\.py"), ("free", "'fixed' or 'learned', got 'free'")],
)
def test_other_modes_are_errors(mode, match):
    with pytest.raises(ValueError, match=match):
        SSPNetNeck(CHANNELS, REGIONS, scale=dict(mode=mode))


def runner_of(model, tmp_path, max_iters):
    return SimpleNamespace(
        model=model,
        iter=0,
        max_iters=max_iters,
        work_dir=str(tmp_path),
        visualizer=Visualizer(),
        message_hub=MessageHub("scale_selection"),
        logger=MMLogger.get_instance("scale_selection"),
    )


@pytest.mark.parametrize("seed", range(10))
def test_it_finds_the_only_level_that_shows_the_answer(seed, tmp_path):
    torch.manual_seed(seed)
    model = ScaleModel()
    wanted = (seed % 4, (seed // 4 + 2 * seed + 1) % 4)
    hook, runner = ScaleAnnealingHook(), runner_of(model, tmp_path, max_iters=300)
    hook.before_train(runner)

    def before_step(step):
        runner.iter = step
        hook.before_train_iter(runner, step)

    train(model, wanted, seed, runner.max_iters, before_step)
    assert model.neck.scale_selection.frozen
    assert model.neck.levels() == dict(zip(("top", "bottom"), wanted))
    stages, labels = scale_batch(wanted, torch.Generator().manual_seed(99), 200)
    right = (model.eval()(stages) > 0) == labels.bool()
    assert right.double().mean() > 0.8
