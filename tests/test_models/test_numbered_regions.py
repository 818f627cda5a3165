"""Checkpoints from before weights were stored by region name are renamed, or refused.

Their layout: ``head.classifiers.N`` and the rows of ``neck.scale_selection.logits`` and
``.chosen`` in the order of the training's config (mmpar before this change).
"""

from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.model import ExponentialMovingAverage
from mmengine.registry import DefaultScope
from mmengine.runner.checkpoint import load_state_dict
from mmpretrain.models import ImageClassifier
from torch import nn

from mmpar.engine import LoadedWeightsHook
from mmpar.models import PARClassifier, SSPNetHead, SSPNetNeck
from mmpar.models.heads.numbered_regions import SHIPPED, order_of_numbered
from mmpar.structures import AttributeSchema, SchemaMismatchError
from tests.test_explain.tiny_model import Backbone

CHANNELS = (3, 4, 5)
ROWS = dict(head=(0, 0.375), torso=(0.125, 0.625), bottom=(0.5, 1), whole=(0, 1))
PETA_SIZES = dict(head=5, torso=10, bottom=10, whole=10)
DISTINCT = dict(head=2, torso=6, bottom=7, whole=11)
SORTED = tuple(sorted(ROWS))


def model_of(sizes, listed=SHIPPED, scale="learned", classifier=PARClassifier):
    """A model whose regions have so many attributes, with weights of its own."""
    names = {r: tuple(f"{r}{i}" for i in range(size)) for r, size in sizes.items()}
    everything = [name for group in names.values() for name in group]
    torch.manual_seed(1)
    order = torch.randperm(len(everything)).tolist()
    schema = AttributeSchema(tuple(everything[i] for i in order), names)
    regions = {
        name: dict(rows=ROWS.get(name, (0, 1)), groups=(name,), level=1)
        for name in listed
    }
    with DefaultScope.overwrite_default_scope("mmpar"):
        neck = SSPNetNeck(CHANNELS, regions, out_channels=4, scale=dict(mode=scale))
        head = SSPNetHead(schema, regions, in_channels=4)
    model = classifier(backbone=Backbone(), neck=neck, head=head).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.5)
    model.head.set_positive_ratio(torch.rand(len(schema)))
    if scale == "learned":
        model.neck.scale_selection.freeze()
    return model


def numbered(state, order):
    """The state dict as the former mmpar wrote it, of a config in this order."""
    old = {k: v for k, v in state.items() if ".regions." not in k}
    for i, name in enumerate(order):
        for kind in ("weight", "bias"):
            value = old.pop(f"head.classifiers.{name}.{kind}")
            old[f"head.classifiers.{i}.{kind}"] = value
    for field in ("logits", "chosen"):
        rows = [state.get(f"neck.scale_selection.regions.{n}.{field}") for n in order]
        if rows[0] is not None:
            old[f"neck.scale_selection.{field}"] = torch.stack(rows)
    return old


def require_same(model, other):
    for key, value in model.state_dict().items():
        assert torch.equal(value, other.state_dict()[key]), key
    image = torch.randn(2, 3, 32, 16)
    assert torch.equal(model(image), other(image))


@pytest.mark.parametrize("scale", ["fixed", "learned"])
@pytest.mark.parametrize("listed", [SHIPPED, SORTED], ids=["config", "written config"])
@pytest.mark.parametrize("trained", [SHIPPED, SORTED], ids=["config", "written config"])
@pytest.mark.parametrize("sizes", [DISTINCT, PETA_SIZES], ids=["pa100k", "peta"])
def test_an_old_checkpoint_brings_each_region_its_own_weights(
    sizes, trained, listed, scale
):
    source = model_of(sizes, scale=scale)
    old = numbered(source.state_dict(), trained)
    for load in (nn.Module.load_state_dict, load_state_dict):
        target = model_of(sizes, listed, scale)
        for parameter in target.parameters():
            nn.init.zeros_(parameter)
        load(target, old, strict=True)
        require_same(target, source)


def test_averaged_weights_and_the_test_of_a_work_dir_take_old_checkpoints():
    source, target = model_of(DISTINCT), model_of(DISTINCT, SORTED)
    old = numbered(source.state_dict(), SHIPPED)
    averaged = ExponentialMovingAverage(target)
    wrapped = {f"module.{key}": value for key, value in old.items()}
    averaged.load_state_dict({**wrapped, "steps": torch.tensor(3)})
    require_same(averaged.module, source)
    runner = SimpleNamespace(
        model=target, _load_from="old.pth", _resume=False, logger=MMLogger("old")
    )
    reloaded = model_of(DISTINCT, SORTED)
    runner.model = reloaded
    hook = LoadedWeightsHook(strict=True)
    hook.after_load_checkpoint(runner, dict(state_dict=old))
    require_same(reloaded, source)
    assert "head.classifiers.0.weight" in old  # the Runner's own copy is left alone


TIED = dict(lower=2, upper=2)


@pytest.mark.parametrize("listed", [("upper", "lower"), ("lower", "upper")])
def test_equal_sizes_that_leave_two_orders_are_refused(listed):
    source = model_of(TIED, listed)
    old = numbered(source.state_dict(), ("upper", "lower"))
    with pytest.raises(ValueError, match=r"\[2, 2\] attributes .*is ambiguous"):
        model_of(TIED, listed).load_state_dict(old)


@pytest.mark.parametrize(
    ("found", "sizes", "listed", "order"),
    [
        ([3, 1, 3], dict(a=3, b=3, c=1), ["b", "c", "a"], ("b", "c", "a")),
        ([3, 3, 1], dict(a=3, b=3, c=1), ["b", "c", "a"], ("a", "b", "c")),
        # Regions that read no attribute had no classifier.
        ([3, 1, 3], dict(a=3, b=3, c=1), ["b", "idle", "c", "a"], ("b", "c", "a")),
        # From a config that may be a written one: the order before is unknown.
        ([3, 3, 1], dict(a=3, b=3, c=1), ["a", "b", "c"], None),
        ([3, 1, 3], dict(a=3, b=3, c=1), ["a", "b", "c"], None),
        # Sorted or as in the config at hand, both fit.
        ([3, 3, 1], dict(a=3, b=3, c=1), ["b", "a", "c"], None),
        # Another order of the shipped names is known from the config at hand only.
        ([5, 10, 10, 10], PETA_SIZES, ["head", "bottom", "torso", "whole"], None),
    ],
)
def test_only_what_sizes_and_configs_decide_is_decided(found, sizes, listed, order):
    if order is not None:
        assert order_of_numbered(found, sizes, listed) == order
        return
    with pytest.raises(ValueError, match=r"rename head\.classifiers\.0"):
        order_of_numbered(found, sizes, listed)


def test_the_remedy_of_the_refusal_is_one():
    source = model_of(TIED, ("upper", "lower"))
    state = source.state_dict()
    renamed = {  # by hand, as the message says
        **numbered(state, ("upper", "lower")),
    }
    for i, name in enumerate(("upper", "lower")):
        for kind in ("weight", "bias"):
            value = renamed.pop(f"head.classifiers.{i}.{kind}")
            renamed[f"head.classifiers.{name}.{kind}"] = value
        for field in ("logits", "chosen"):
            row = renamed[f"neck.scale_selection.{field}"][i]
            renamed[f"neck.scale_selection.regions.{name}.{field}"] = row
    for field in ("logits", "chosen"):
        del renamed[f"neck.scale_selection.{field}"]
    target = model_of(TIED, ("lower", "upper"))
    target.load_state_dict(renamed)
    require_same(target, source)


def test_other_sizes_are_those_of_other_regions():
    old = numbered(model_of(DISTINCT, scale="fixed").state_dict(), SHIPPED)
    other = model_of(dict(head=6, torso=2, bottom=7, whole=11), scale="fixed")
    with pytest.raises(SchemaMismatchError):
        other.load_state_dict(old)
    del old["head._extra_state"]
    other = model_of(dict(head=3, torso=5, bottom=7, whole=11), scale="fixed")
    with pytest.raises(ValueError, match=r"trained with other model\.regions"):
        other.load_state_dict(old, strict=False)


def test_classifiers_are_renamed_also_in_another_model_than_ours():
    source, target = (
        model_of(DISTINCT, listed, "fixed", ImageClassifier)
        for listed in (SHIPPED, SORTED)
    )
    for parameter in target.parameters():
        nn.init.zeros_(parameter)
    target.load_state_dict(numbered(source.state_dict(), SHIPPED))
    require_same(target, source)


def test_scales_without_names_are_refused_where_no_classifier_names_them():
    source = model_of(DISTINCT, classifier=ImageClassifier)
    old = numbered(source.state_dict(), SHIPPED)
    with pytest.raises(ValueError, match=r"scale_selection\.logits .*PARClassifier"):
        source.load_state_dict(old)
