"""ALM's fast form and its oracle with the same weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmpar.models import ALMHead
from mmpar.structures import AttributeSchema
from tests.oracles.alm import LEVELS, ALMLoop

PER_ATTRIBUTE = {
    "squeeze": lambda level, i: level.att_list[i].conv1,
    "excite": lambda level, i: level.att_list[i].conv2,
    "region": lambda level, i: level.stn_list[i],
    "classifier": lambda level, i: level.fc_list[i],
}


class ALMFast(nn.Module):
    """The head, as :class:`ALMLoop` from stages to four logits."""

    def __init__(self, head: ALMHead) -> None:
        super().__init__()
        self.head = head

    def forward(self, stages: list[Tensor]) -> list[Tensor]:
        return self.head.predict_levels(stages)[0]


def schema_of(num_attributes: int) -> AttributeSchema:
    return AttributeSchema(tuple(f"attribute {i}" for i in range(num_attributes)))


def make_pair(
    num_attributes: int,
    stage_channels: tuple[int, int, int] = (320, 608, 1024),
    channels: int = 256,
    align_corners: bool = True,
) -> tuple[ALMFast, ALMLoop]:
    """The fast form and the loop with equal weights."""
    loop = ALMLoop(num_attributes, stage_channels, channels, align_corners)
    head = ALMHead(
        schema_of(num_attributes),
        stage_channels,
        channels,
        align_corners=align_corners,
    )
    fast = ALMFast(head)
    with torch.no_grad():
        for name, parameter in fast.named_parameters():
            parameter.copy_(loop_tensor(loop, name).reshape(parameter.shape))
    return fast, loop


def loop_tensor(loop: ALMLoop, name: str, gradient: bool = False) -> Tensor:
    """The loop's tensor, or its gradient, for a parameter of the fast form."""
    kind, layers = _find(loop, name)
    tensors = [getattr(layer, kind) for layer in layers]
    if gradient:
        tensors = [tensor.grad for tensor in tensors]
    return torch.stack([tensor.detach() for tensor in tensors])


def _find(loop: ALMLoop, name: str) -> tuple[str, list[nn.Module]]:
    words = name.split(".")
    if name.startswith("head.laterals."):
        return words[3], [getattr(loop, f"latlayer_{LEVELS[int(words[2])]}")]
    if name.startswith("head.global_classifier."):
        return words[2], [loop.finalfc]
    layer, kind = words[3].rsplit("_", 1)
    level = getattr(loop, f"st_{LEVELS[int(words[2])]}")
    count = len(level.fc_list)
    return kind, [PER_ATTRIBUTE[layer](level, i) for i in range(count)]
