"""The official codes whose checkpoints mmpar takes over: one table of names each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from torch import Tensor

from mmpar.models.converters.official_code import OfficialCode
from mmpar.models.weights import bare_name, official_code_of

_COMMON = {
    "data_preprocessor.mean": [123.675, 116.28, 103.53],
    "data_preprocessor.std": [58.395, 57.12, 57.375],
    "data_preprocessor.to_rgb": True,
    "head.exclusive_softmax": False,
}
"""Of all three codes, whatever their initial weights came from."""

_RESNETS = dict(ResNet=dict(style="pytorch"), ResNeXt=dict(style="pytorch"))

_BLOCK = r"backbone\.stages\.(\d+)\.blocks\.(\d+)"
_SWIN = {
    _BLOCK + r"\.attn\.w_msa\.(.+)": r"layers.\1.blocks.\2.attn.\3",
    _BLOCK + r"\.ffn\.layers\.0\.0\.(.+)": r"layers.\1.blocks.\2.mlp.fc1.\3",
    _BLOCK + r"\.ffn\.layers\.1\.(.+)": r"layers.\1.blocks.\2.mlp.fc2.\3",
    r"backbone\.stages\.(.+)": r"layers.\1",
    r"backbone\.norm3\.(.+)": r"norm.\1",
}
_VIT = {
    r"backbone\.layers\.(\d+)\.ln(\d)\.(.+)": r"blocks.\1.norm\2.\3",
    r"backbone\.layers\.(\d+)\.ffn\.layers\.0\.0\.(.+)": r"blocks.\1.mlp.fc1.\2",
    r"backbone\.layers\.(\d+)\.ffn\.layers\.1\.(.+)": r"blocks.\1.mlp.fc2.\2",
    r"backbone\.layers\.(.+)": r"blocks.\1",
    r"backbone\.ln1\.(.+)": r"norm.\1",
}
_TRANSFORMERS = {
    r"backbone\.patch_embed\.projection\.(.+)": r"patch_embed.proj.\1",
    **_SWIN,
    **_VIT,
}
"""Names in mmpretrain to those of Swin's own code and of timm's ViT."""


def unfolded(value: Tensor) -> Tensor:
    """Bring the inputs of Swin's patch merging, its last axis, into unfold's order.

    In its own code they are ordered by column, row and channel of a 2x2 patch, in
    mmpretrain as :func:`torch.nn.functional.unfold` gives them: by channel, row and
    column.

    >>> import torch
    >>> unfolded(torch.arange(8)).tolist()  # two channels
    [0, 4, 2, 6, 1, 5, 3, 7]
    """
    patches = value.unflatten(-1, (2, 2, -1))
    return patches.movedim((-3, -2, -1), (-1, -2, -3)).flatten(-3)


STRONG_BASELINE = OfficialCode(
    title="the Strong Baseline",
    source="https://github.com/valencebond/Rethinking_of_PAR",
    head="LinearPARHead",
    names={
        **{ours: f"backbone.{theirs}" for ours, theirs in _TRANSFORMERS.items()},
        r"(backbone\..+)": r"\1",
        r"head\.classifier\.(.+)": r"classifier.logits.0.\1",
    },
    backbones=dict(
        **_RESNETS,
        BNInception={},
        SwinTransformer=dict(pad_small_map=True),
        VisionTransformer=dict(
            out_type="featmap",
            final_norm=True,
            qkv_bias=True,
            norm_cfg=dict(type="LN", eps=1e-6),
        ),
    ),
    reordered={r"backbone\.stages\.\d\.downsample\..+": unfolded},
    unused=r"backbone\.last_linear\..+",
    classifiers={"classifier.logits.0": "classifier.logits.1"},
    label="eval",
    settings={**_COMMON, "head.batch_norm": False},
    refused={
        r"backbone\.toplayer\..+": "of a feature pyramid: SSPNet's code with a linear "
        "classifier on P2",
    },
)
"""``models/base_block.py``, ``models/backbone/``, ``tools/utils.py``.

Of its two ViT the base one: the small one has attention without biases and of a scale
that mmpretrain does not offer.
"""

_COSINE = "classifier.logits"

COSINE_BASELINE = replace(
    STRONG_BASELINE,
    title="the Strong Baseline with the cosine classifier",
    head="CosinePARHead",
    names={r"head\.directions": _COSINE, **STRONG_BASELINE.names},
    classifiers={_COSINE: None},
    settings=_COMMON,
)
"""Its scale is in no checkpoint: the config's counts. The code evaluates without."""

_PYRAMID = {
    **{
        rf"neck\.pyramid\.laterals\.{2 - i}\.(.+)": f"latlayer{i + 1}" for i in range(3)
    },
    r"neck\.pyramid\.laterals\.3\.(.+)": "toplayer",
    **{rf"neck\.pyramid\.smooths\.{2 - i}\.(.+)": f"smooth{i + 1}" for i in range(3)},
}
_CLASSIFIERS = dict(head="head", torso="mid", bottom="low", whole="all")
"""Region of mmpar to its name in SSPNet's code, in the order of the logits."""
_BANDS = dict(
    head=(1, (0.0, 0.375)),
    torso=(2, (0.125, 0.625)),
    bottom=(2, (0.5, 1.0)),
    whole=(3, (0.0, 1.0)),
)
"""Region to its level and rows: 0 to 24 of 64, 4 to 20 and 16 to 32 of 32, all."""

SSPNET = OfficialCode(
    title="SSPNet",
    source="https://github.com/guotengg/SSPNet",
    head="SSPNetHead",
    names={
        **{ours: rf"backbone.{theirs}.\1" for ours, theirs in _PYRAMID.items()},
        r"(backbone\..+)": r"\1",
        r"neck\.ple\.projection\.(.+)": r"classifier.PLEs.conv.\1",
        r"neck\.ple\.offset\.(.+)": r"classifier.PLEs.offset_conv.*.\1",
        r"neck\.ple\.weight\.(.+)": r"classifier.PLEs.weight_conv.0.\1",
        **{
            rf"head\.classifiers\.{ours}\.(.+)": rf"classifier.cls_{theirs}.0.\1"
            for ours, theirs in _CLASSIFIERS.items()
        },
    },
    backbones=_RESNETS,
    classifiers={
        f"classifier.cls_{theirs}.0": f"classifier.cls_{theirs}.2"
        for theirs in _CLASSIFIERS.values()
    },
    label="prior",
    regions={
        ours: f"classifier.cls_{theirs}.0" for ours, theirs in _CLASSIFIERS.items()
    },
    settings={
        **_COMMON,
        **{f"regions.{name}.level": level for name, (level, _) in _BANDS.items()},
        **{f"regions.{name}.rows": rows for name, (_, rows) in _BANDS.items()},
        "neck.scale": dict(mode="fixed"),
        "neck.ple": dict(type="BlockPLE", num_points=3, grid_convention="official"),
        "head.pool_grids": (1, 2),
    },
    # Rows of the bands are fixed numbers, and maps of odd size are padded with zeros.
    input_size=(192, 256),
)
"""``models/base_block.py``, ``models/backbone/resnet.py``, ``tools/PLE.py``."""

_LEVELS = ("3b", "4d", "5b")
_PER_ATTRIBUTE = dict(
    squeeze="att_list.*.conv1",
    excite="att_list.*.conv2",
    region="stn_list.*",
    classifier="fc_list.*",
)

ALM = OfficialCode(
    title="ALM",
    source="https://github.com/chufengt/iccv19_attribute",
    head="ALMHead",
    names={
        r"backbone\.(.+)": r"main_branch.\1",
        r"head\.global_classifier\.(.+)": r"finalfc.\1",
        **{
            rf"head\.laterals\.{i}\.(.+)": rf"latlayer_{level}.\1"
            for i, level in enumerate(_LEVELS)
        },
        **{
            rf"head\.localizations\.{i}\.{ours}_(.+)": rf"st_{level}.{theirs}.\1"
            for i, level in enumerate(_LEVELS)
            for ours, theirs in _PER_ATTRIBUTE.items()
        },
    },
    backbones=dict(BNInception={}),
    classifiers={"finalfc": None},
    settings={**_COMMON, "head.align_corners": True, "head.voting": "max"},
    input_size=(128, 256),
)
"""Read in public copies; its RAP list shortens the names of the release in place."""

CODES = {code.title: code for code in (STRONG_BASELINE, COSINE_BASELINE, SSPNET, ALM)}


def find_code(names: Iterable[str]) -> OfficialCode:
    """The code that gives tensors these names.

    Raises:
        ValueError: None does.
    """
    names = [bare_name(name) for name in names]
    if _COSINE in names:
        return COSINE_BASELINE
    title = official_code_of(names)
    if title is None:
        codes = ", ".join(f"{code.title} ({code.source})" for code in CODES.values())
        raise ValueError(
            f"these are weights of none of the codes that are converted, {codes}; they "
            f"are called {names[:5]}"
        )
    return CODES[title]
