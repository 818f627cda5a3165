"""A model with regions that is small enough for slow oracles, in float64."""

import torch
from mmengine.registry import DefaultScope
from mmpretrain.models import ImageClassifier
from torch import nn

from mmpar.models import LinearPARHead, SSPNetHead, SSPNetNeck
from mmpar.structures import AttributeSchema

SCHEMA = AttributeSchema(
    names=("Male", "Boots", "Hat", "Coat"),
    groups={"head": ("Hat",), "upper": ("Coat",), "foot": ("Boots",)},
)
REGIONS = dict(
    head=dict(level=1, rows=(0.0, 0.375), groups=("head",)),
    bottom=dict(level=2, rows=(0.5, 1.0), groups=("foot",)),
    whole=dict(level=3, rows=(0.0, 1.0)),
)
REGION_OF = dict(Male="whole", Boots="bottom", Hat="head", Coat="whole")
CHANNELS = (3, 4, 5)
SIZE = (32, 16)


class Backbone(nn.Module):
    """Three stages of strides 2, 4 and 8, the activations smooth."""

    def __init__(self):
        super().__init__()
        widths = (3, *CHANNELS)
        self.stages = nn.ModuleList(
            nn.Conv2d(before, after, 3, 2, 1) for before, after in zip(widths, CHANNELS)
        )

    def forward(self, image):
        outputs = []
        for stage in self.stages:
            image = stage(image).tanh()
            outputs.append(image)
        return tuple(outputs)


class Pooling(nn.Module):
    """A neck without regions."""

    def forward(self, stages):
        return (stages[-1].square().mean(dim=(2, 3)),)


def with_random_weights(neck, head):
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        model = ImageClassifier(backbone=Backbone(), neck=neck, head=head)
    torch.manual_seed(1)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.5)
    return model.double()


def region_model(**ple):
    neck = SSPNetNeck(CHANNELS, REGIONS, out_channels=6, ple=ple)
    return with_random_weights(neck, SSPNetHead(SCHEMA, REGIONS, in_channels=6))


def flat_model():
    return with_random_weights(Pooling(), LinearPARHead(SCHEMA, CHANNELS[-1]))


def images(num=2):
    generator = torch.Generator().manual_seed(3)
    return torch.randn(num, 3, *SIZE, generator=generator, dtype=torch.float64)
