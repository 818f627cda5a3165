"""Grad-CAM equals its oracle and leaves the model as it was."""

import pytest
import torch

from mmpar.explain import GradCAM
from tests.oracles.grad_cam import class_activation, upsampled
from tests.test_explain.tiny_model import (
    SCHEMA,
    SIZE,
    flat_model,
    images,
    region_model,
)


def state_of(model):
    return (
        [module.training for module in model.modules()],
        [parameter.requires_grad for parameter in model.parameters()],
        [parameter.grad for parameter in model.parameters()],
        [len(module._forward_hooks) for module in model.modules()],
    )


@pytest.mark.parametrize("build", [flat_model, region_model])
def test_maps_equal_finite_differences(build):
    model, inputs = build().eval(), images()
    maps = GradCAM(model)(inputs, ["Boots", "Male"])
    assert maps.shape == (2, 2, *SIZE)
    *finer, last = model.backbone(inputs)

    def logits_from(features):
        return model.head(model.neck((*finer, features)))

    responding = 0
    for n, name in enumerate(("Boots", "Male")):
        expected = class_activation(logits_from, last, SCHEMA.names.index(name))
        for b in range(2):
            big = upsampled(expected[b], *SIZE, stride=8)
            responding += bool(big.max() > 1e-3)
            torch.testing.assert_close(
                maps[b, n], big / max(float(big.max()), 1e-300), atol=1e-6, rtol=0
            )
    assert responding >= 2  # else zero maps would have been compared


def test_images_of_a_batch_do_not_influence_each_other():
    model, inputs = region_model(), images(3)
    together = GradCAM(model)(inputs)
    alone = torch.cat([GradCAM(model)(inputs[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(together, alone)


def test_a_map_without_positive_response_is_zero():
    model = flat_model()
    with torch.no_grad():
        model.head.classifier.weight.zero_()
    assert (GradCAM(model)(images()) == 0).all()


@pytest.mark.parametrize("training", [True, False])
def test_the_model_is_left_as_it_was(training):
    model = region_model().train(training)
    model.backbone.eval()
    next(model.parameters()).requires_grad = False
    before = state_of(model)
    GradCAM(model)(images())
    assert state_of(model) == before
    assert torch.is_grad_enabled()


def test_the_model_is_left_as_it_was_after_an_error():
    model = region_model().train()
    before = state_of(model)
    with pytest.raises(RuntimeError):
        GradCAM(model)(images()[:, :2])  # two channels
    model.head.forward = lambda feats: 1 / 0
    with pytest.raises(ZeroDivisionError):
        GradCAM(model)(images())
    assert state_of(model) == before
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_works_where_gradients_are_off(context):
    model, inputs = region_model(), images()
    expected = GradCAM(model)(inputs)
    with context():
        found = GradCAM(model)(inputs)
    torch.testing.assert_close(found, expected)


def test_works_under_autocast_in_float32():
    model, inputs = flat_model().float(), images().float()
    expected = GradCAM(model)(inputs)
    with torch.autocast("cpu", torch.bfloat16):
        found = GradCAM(model)(inputs)
    assert found.dtype == torch.float32
    assert (found - expected).abs().mean() < 0.02
    assert expected.mean() > 0.1


def test_a_layer_can_be_named():
    model, inputs = flat_model(), images()
    named = GradCAM(model, "backbone.stages.2")
    given = GradCAM(model, model.backbone.stages[2])
    torch.testing.assert_close(named(inputs), given(inputs))
    assert (named(inputs) - GradCAM(model)(inputs)).abs().max() > 0.01  # before tanh


def test_wrong_layers_are_refused():
    model = flat_model()
    with pytest.raises(ValueError, match=r"backbone.*neck.*head"):
        GradCAM(model, "backbone.layer9")
    with pytest.raises(ValueError, match="before pooling"):
        GradCAM(model, "neck")(images())
    with pytest.raises(ValueError, match="ran 0 times"):
        GradCAM(model, "data_preprocessor")(images())


def test_unknown_attributes_are_named():
    with pytest.raises(ValueError, match=r"\['Skirt', 9\].*'Hat'"):
        GradCAM(flat_model())(images(), ["Hat", "Skirt", 9])
