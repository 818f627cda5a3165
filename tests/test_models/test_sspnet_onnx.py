"""SSPNet gives the same logits after its export to ONNX."""

import pytest
import torch
from torch import nn

from mmpar.models import SSPNetHead, SSPNetNeck
from tests.fixtures.versions import since_torch
from tests.test_models.backbone_features import backbone_features
from tests.test_models.onnx_export import run_exported
from tests.test_models.test_sspnet import CHANNELS, REGIONS, SCHEMA


class Logits(nn.Module):
    """Backbone, neck and head; or neck and head from stages and keypoints."""

    def __init__(self, scale, **ple):
        super().__init__()
        torch.manual_seed(0)
        self.neck = SSPNetNeck(
            CHANNELS,
            REGIONS,
            out_channels=4,
            scale=dict(mode=scale),
            ple=ple,
        )
        self.head = SSPNetHead(SCHEMA, REGIONS, in_channels=4)
        widths = (3, *CHANNELS)
        self.stages = nn.ModuleList(
            nn.Conv2d(before, after, 3, 2, 1) for before, after in zip(widths, CHANNELS)
        )
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.4)
        if self.neck.scale_selection is not None:
            self.neck.scale_selection.freeze()

    def forward(self, *inputs):
        if len(inputs) == 1:
            return self.head(self.neck(self._backbone(*inputs)))
        return self.head(self.neck(inputs[:4], *inputs[4:]))

    def _backbone(self, image):
        outputs = []
        for stage in self.stages:
            image = stage(image).tanh()
            outputs.append(image)
        return outputs


def require_same_logits(model, inputs):
    """Exported with the first image, run with both."""
    with torch.no_grad():
        expected = model.eval()(*inputs)
        exported = run_exported(model, [value[:1] for value in inputs], inputs)
    torch.testing.assert_close(exported, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("scale", ["fixed", "learned"])
@pytest.mark.parametrize(
    "ple",
    [
        dict(type="BlockPLE"),
        dict(type="BlockPLE", grid_convention="official"),
        pytest.param(
            dict(type="SparsePLE"),
            marks=since_torch("2.6", "its older exporter gives other numbers"),
        ),
        dict(type="IdentityPLE"),
    ],
)
def test_from_images_at_any_batch_size(ple, scale):
    image = torch.randn((2, 3, 34, 26), generator=torch.Generator().manual_seed(1))
    require_same_logits(Logits(scale, **ple), [image])


@pytest.mark.parametrize("scale", ["fixed", "learned"])
def test_from_features_and_keypoints_of_which_some_are_missing(scale):
    stages = [stage.float() for stage in backbone_features(CHANNELS, 66, 36)]
    generator = torch.Generator().manual_seed(2)
    keypoints = torch.rand((2, 17, 3), generator=generator)
    keypoints[..., 2] = (3 * keypoints[..., 2]).floor()
    assert (keypoints[..., 2] == 0).any()
    require_same_logits(Logits(scale, type="KeypointPLE"), [*stages, keypoints])
