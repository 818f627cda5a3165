"""Gradients in half precision, and layers that are not run exactly once."""

import pytest
import torch
from torch import nn

from mmpar.explain import GradCAM
from mmpar.explain.feature_gradients import feature_gradients, layer_inputs
from tests.fixtures.versions import needs_float16_on_cpu
from tests.test_explain.tiny_model import flat_model, images


def classifier_times(scale):
    """Half-precision gradients, which are computed times 1024, end at 65504."""
    model = flat_model().float()
    with torch.no_grad():
        model.head.classifier.weight *= scale
    return model, images().float()


@needs_float16_on_cpu
def test_gradients_that_overflow_when_scaled_are_computed_without():
    model, inputs = classifier_times(1000)
    expected = GradCAM(model)(inputs)
    with torch.autocast("cpu", torch.float16):
        assert model(inputs, mode="tensor").isfinite().all()
        found = GradCAM(model)(inputs)
    assert expected.mean() > 0.05
    assert (found - expected).abs().mean() < 0.02


class TwoFactors(nn.Module):
    """Half-precision logit, the features times two factors, of each image its own."""

    def __init__(self, factors):
        super().__init__()
        self.layer, self.head = nn.Identity(), flat_model().head
        self.factors = torch.tensor(factors).half()[:, :, None, None, None]

    def forward(self, inputs, data_samples, mode):
        features = self.layer(inputs).half()
        for factor in self.factors:
            features = features * factor
        return features.sum(dim=(2, 3))


def test_other_images_keep_the_scale_that_saves_them_from_underflow():
    model = TwoFactors([[300.0, 1e-4], [1.0, 1e-4]])
    gradients = feature_gradients(model, model.layer, torch.ones(2, 4, 2, 2)).gradient(
        2, 0
    )
    of_logit = torch.tensor((300.0, 1e-8))[:, None, None].expand(2, 2, 2)
    torch.testing.assert_close(gradients[:, 2], of_logit, rtol=0.01, atol=0)


@needs_float16_on_cpu
def test_gradients_that_overflow_all_the_same_name_attribute_and_remedy():
    model, inputs = classifier_times(1e6)
    assert GradCAM(model)(inputs, ["Hat"]).isfinite().all()
    explain = GradCAM(model)
    message = r"'Hat'.*torch\.float16.*bfloat16"
    with (
        torch.autocast("cpu", torch.float16),
        pytest.raises(ValueError, match=message),
    ):
        explain(inputs, ["Hat"])


def test_features_that_are_not_finite_are_refused():
    model = flat_model()
    model.backbone.stages[2].register_forward_hook(lambda *args: args[2] / 0)
    with pytest.raises(ValueError, match="'Male' or the features"):
        GradCAM(model, "backbone.stages.2")(images())


@pytest.mark.parametrize("find", [feature_gradients, layer_inputs])
def test_layers_that_are_not_run_exactly_once_are_refused(find):
    model = flat_model()
    with pytest.raises(ValueError, match="ran 0 times"):
        find(model, model.data_preprocessor, images())
    model.backbone.stages.append(nn.Identity())
    model.backbone.stages.append(model.backbone.stages[-1])
    with pytest.raises(ValueError, match="Identity ran 2 times"):
        find(model, model.backbone.stages[-1], images())
