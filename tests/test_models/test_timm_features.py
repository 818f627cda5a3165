"""Backbones of timm, as far as a file may name them."""

import pytest
import torch

from mmpar.models import TimmFeatures

timm = pytest.importorskip("timm")


def test_the_maps_that_are_asked_for_are_those_of_timm():
    backbone = TimmFeatures("lcnet_050", out_indices=[2, 4])
    backbone.eval()
    whole = timm.create_model("lcnet_050", features_only=True).eval()
    whole.load_state_dict(backbone.timm_model.state_dict())
    image = torch.randn(1, 3, 64, 32)
    with torch.no_grad():
        found, maps = backbone(image), whole(image)
    assert [torch.equal(one, maps[i]) for one, i in zip(found, (2, 4))] == [True, True]


@pytest.mark.parametrize(
    "name", ["lcnet_51", "hf-hub:timm/lcnet_050.ra2_in1k", "local-dir:/tmp/model"]
)
def test_what_timm_does_not_define_is_refused(name):
    with pytest.raises(ValueError, match=f"has no model '{name}'"):
        TimmFeatures(name, out_indices=(4,))
