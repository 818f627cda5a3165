"""The explainers that the tools offer by name."""

import pytest

from mmpar.engine import explainer_config
from mmpar.explain import Explainer, GradCAMP
from mmpar.registry import EXPLAINERS
from mmpar.utils.cli import EXPLAINERS_BY_NAME, explainer_arguments
from tests.test_explain.tiny_model import region_model
from tests.test_tools.run import REPOSITORY


def explainer_of(name, folder):
    checkpoint = folder / "some.pth"
    checkpoint.touch()
    config = REPOSITORY / "configs/sspnet/sspnet_r18_synthetic.py"
    parser = explainer_arguments("A tool.")
    args = parser.parse_args([str(config), str(checkpoint), "--explainer", name])
    return EXPLAINERS.build(
        explainer_config(args, "localize").test_cfg.explainer,
        default_args=dict(model=region_model()),
    )


@pytest.mark.parametrize("name", sorted({*EXPLAINERS_BY_NAME} - {"alm-boxes"}))
def test_every_name_gives_an_explainer(tmp_path, name):
    assert isinstance(explainer_of(name, tmp_path), Explainer)


@pytest.mark.parametrize(
    ("name", "place_prior"), [("grad-cam-p", True), ("grad-cam-region", False)]
)
def test_grad_cam_p_is_offered_with_and_without_the_place_prior(
    tmp_path, name, place_prior
):
    explainer = explainer_of(name, tmp_path)
    assert isinstance(explainer, GradCAMP)
    assert explainer.place_prior is place_prior
