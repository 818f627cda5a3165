"""How SSPNet's official code initialises what is not pre-trained."""

from __future__ import annotations

from mmengine.model import update_init_info
from torch import nn

from mmpar.models.layers import LearnedPLE
from mmpar.registry import WEIGHT_INITIALIZERS


@WEIGHT_INITIALIZERS.register_module()
class SSPNetInit:
    """The official initialisation of the neck: ``init_cfg=dict(type='SSPNetInit')``.

    Weights of convolutions are normal by fan-out, biases torch's uniform default. Each
    point's offset comes from a convolution of its own there, so its fan-out is 2 and
    its weights are N(0, 1): points begin about 15 pixels apart, mostly outside their
    region. Without this, offsets begin near zero, biases at zero, and the pyramid with
    Xavier weights.

    Source: https://github.com/guotengg/SSPNet (``tools/PLE.py``, ``PLEs``;
    ``models/backbone/resnet.py``).
    """

    def __call__(self, module: nn.Module) -> None:
        """Initialise all convolutions of a module."""
        for part in module.modules():
            if isinstance(part, nn.Conv2d):
                part.reset_parameters()
                nn.init.kaiming_normal_(part.weight, mode="fan_out")
        for part in module.modules():
            if isinstance(part, LearnedPLE):
                nn.init.normal_(part.offset.weight)
        if hasattr(module, "_params_init_info"):
            update_init_info(module, init_info="SSPNetInit: as in the official code")
