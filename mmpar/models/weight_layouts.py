"""Public weights whose names differ from those of the backbone that takes them.

A layout is named in ``init_cfg``, for :class:`mmpar.models.PretrainedInit`:
``dict(type="Pretrained", checkpoint=..., layout=dict(type="TimmLayout"))``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch.nn.functional as F
from mmpretrain.models.utils import resize_pos_embed
from torch import Tensor, nn

from mmpar.models.weights import bare_name
from mmpar.registry import TASK_UTILS

Weights = dict[str, Tensor]


@TASK_UTILS.register_module()
class TimmLayout:
    """A model of timm, for :class:`mmpar.models.TimmFeatures`.

    There, the parts of a name may be joined by an underscore instead of a dot.
    """

    def __call__(self, checkpoint: Mapping[str, Any], module: nn.Module) -> Weights:
        """Weights by the names of the module; those that it lacks keep theirs."""
        ours = {
            name.removeprefix("timm_model.").replace(".", "_"): name
            for name in module.state_dict()
        }
        return {
            ours.get(name.replace(".", "_"), name): value
            for name, value in checkpoint.items()
        }


@TASK_UTILS.register_module()
class TimmViTLayout:
    """A ViT with timm's names, as MAE's and HAP's, for mmpretrain's.

    Args:
        grid: Patches (rows, columns) that the position embeddings of the file were
            trained for; they are resized to the module's as HAP does, bicubically.
            Without, the grid of the file is square, and mmpretrain resizes it.
    """

    NAMES = (
        (r"^patch_embed\.proj\.", "patch_embed.projection."),
        (r"^blocks\.(\d+)\.norm([12])\.", r"layers.\1.ln\2."),
        (r"^blocks\.(\d+)\.mlp\.fc1\.", r"layers.\1.ffn.layers.0.0."),
        (r"^blocks\.(\d+)\.mlp\.fc2\.", r"layers.\1.ffn.layers.1."),
        (r"^blocks\.", "layers."),
        (r"^norm\.", "ln1."),
    )

    def __init__(self, grid: Sequence[int] | None = None) -> None:
        self.grid = grid

    def __call__(self, checkpoint: Mapping[str, Any], module: nn.Module) -> Weights:
        """Weights by mmpretrain's names, of the file's ``model`` if it has one.

        Raises:
            ValueError: The file's position embeddings are not of ``grid``.
        """
        found = checkpoint.get("model", checkpoint)
        weights = {_renamed(name, self.NAMES): value for name, value in found.items()}
        if self.grid is not None and "pos_embed" in weights:
            weights["pos_embed"] = self._resized(weights["pos_embed"], module)
        return weights

    def _resized(self, embeddings: Tensor, module: Any) -> Tensor:
        rows, columns = self.grid or ()
        if embeddings.shape[1] != rows * columns + 1:
            raise ValueError(
                f"the file has {embeddings.shape[1]} position embeddings, but layout."
                f"grid={tuple(self.grid or ())} makes {rows * columns} and one for the "
                "class token; give the (rows, columns) that it was trained for"
            )
        to = module.patch_embed.init_out_size
        return resize_pos_embed(embeddings, (rows, columns), to, "bicubic", 1)


@TASK_UTILS.register_module()
class SOLIDERLayout:
    """SOLIDER's Swin, for mmpretrain's whose patch merging has a bias.

    SOLIDER scales and shifts the channels after each patch merging by amounts that
    depend on a number alone, the semantic weight. Once that is chosen they are constant
    and become part of the merging's weights and of a bias:
    ``stage_cfgs=dict(downsample_cfg=dict(bias=True))``.

    Source: Chen et al., "Beyond Appearance", arXiv 2303.17602;
    https://github.com/tinyvision/SOLIDER (``swin_transformer.py``).

    Args:
        semantic_weight: In [0, 1]; larger for features of meaning, smaller for those of
            appearance. The official demo has 1, its re-identification 0.2.
    """

    def __init__(self, semantic_weight: float) -> None:
        self.semantic_weight = semantic_weight

    def __call__(self, checkpoint: Mapping[str, Any], module: nn.Module) -> Weights:
        """The teacher's backbone by mmpretrain's names.

        Raises:
            ValueError: It is not a file of SOLIDER.
        """
        found = checkpoint.get("teacher", checkpoint)
        weights = {
            bare_name(bare_name(name).removeprefix("backbone.")): value
            for name, value in found.items()
        }
        controllers = sorted(name for name in weights if name.startswith("semantic_"))
        if not controllers:
            raise ValueError(
                "the file has no semantic_embed_w and semantic_embed_b, as SOLIDER's "
                f"have; it has {', '.join([*weights][:5])}. For another Swin, remove "
                "init_cfg.layout and stage_cfgs"
            )
        # The last stage's is applied where nothing is read any more.
        for stage in range(3):
            self._fold(weights, stage)
        return {n: v for n, v in weights.items() if n not in controllers}

    def _fold(self, weights: Weights, stage: int) -> None:
        """Scale and shift of a stage's end, into its patch merging."""
        scale = F.softplus(self._controlled(weights, f"semantic_embed_w.{stage}"))
        shift = self._controlled(weights, f"semantic_embed_b.{stage}")
        merging = f"stages.{stage}.downsample.reduction"
        weights[f"{merging}.weight"] = weights[f"{merging}.weight"] * scale[:, None]
        weights[f"{merging}.bias"] = shift

    def _controlled(self, weights: Weights, name: str) -> Tensor:
        """What a linear layer gives for the semantic weight and its complement."""
        weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
        shares = weight.new_tensor((self.semantic_weight, 1 - self.semantic_weight))
        return weight @ shares + bias


def _renamed(name: str, patterns: Sequence[tuple[str, str]]) -> str:
    """The name after the first pattern that it matches."""
    for pattern, replacement in patterns:
        if re.match(pattern, name):
            return re.sub(pattern, replacement, name)
    return name
