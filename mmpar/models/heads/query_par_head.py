"""One cross-attention query per attribute, on the patches of an image tower."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.model import update_init_info
from torch import Tensor, nn
from torch.nn import functional as F

from mmpar.models.heads.par_head import PARHead, Schema
from mmpar.registry import MODELS, WEIGHT_INITIALIZERS
from mmpar.utils.array_files import read_arrays

_EPS = 1e-5  # of torch's layer norm


@MODELS.register_module()
class QueryPARHead(PARHead):
    """Each attribute has a query, which attends to patches, and a linear classifier.

    Attention weighs patches by the softmax of ``scale * cos(query, patch)``, and the
    classifier reads the weighted mean of the normalized patches. Projections of query,
    key and value would add nothing: with one head, a query and a classifier of each
    attribute's own absorb them. As the classifier is linear, patches are classified
    first and averaged afterwards, ``(B, L, A)`` instead of ``(B, A, D)``.

    Queries begin as random directions, or with :class:`TextQueries` as embeddings of
    prompts, which patches of CLIP and SigLIP are near to.

    Args:
        schema: See :class:`PARHead`.
        in_channels: D of the embeddings.
        **kwargs: See :class:`PARHead`.
    """

    def __init__(self, schema: Schema, in_channels: int, **kwargs: Any) -> None:
        kwargs.setdefault("init_cfg", dict(type="Normal", layer="Linear", std=0.001))
        super().__init__(schema, **kwargs)
        queries = torch.randn(len(self.schema), in_channels)
        self.queries = nn.Parameter(F.normalize(queries, dim=1))
        self.classifier = nn.Linear(in_channels, len(self.schema))
        # As CLIP begins: cosines of embeddings differ by hundredths.
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def logits(self, feats: Sequence[Tensor]) -> Tensor:
        """Logits ``(B, A)`` of the last of ``feats``, ``(B, L, D)``.

        Raises:
            ValueError: There are no patches.
        """
        patches = feats[-1]
        if patches.ndim != 3:
            raise ValueError(
                f"the head attends to patches, (B, L, D), and was given features of "
                f"the shape {tuple(patches.shape)}; set model.backbone.patches=True"
            )
        # Both norms divide the few products instead of the many numbers of patches.
        # (torch.var_mean takes twenty times as long on a CPU.)
        mean = patches.mean(dim=2, keepdim=True)
        length = patches.norm(dim=2, keepdim=True)
        variance = (length.square() / patches.shape[2] - mean.square()).clamp(min=0)
        weight = self.classifier.weight
        both = torch.cat((F.normalize(self.queries, dim=1), weight))
        aligned, valued = (patches @ both.t()).chunk(2, dim=2)
        cosines = aligned / length.clamp(min=_EPS)
        values = (valued - mean * weight.sum(dim=1)) / (variance + _EPS).sqrt()
        attention = (self.log_scale.exp() * cosines).softmax(dim=1)
        return (attention * values).sum(dim=1) + self.classifier.bias


@WEIGHT_INITIALIZERS.register_module()
class TextQueries:
    """The queries of :class:`QueryPARHead` from the embeddings of prompts.

    Args:
        file: ``texts.npz`` of cached features: ``names`` of attributes, their
            ``prompts`` and ``embeddings``, (A, D).
    """

    def __init__(self, file: str) -> None:
        self.file = file

    def __call__(self, module: Any) -> None:
        """Set them.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It is of other attributes, or of another space.
        """
        names, embeddings = read_texts(self.file)
        if tuple(names) != module.schema.names:
            raise ValueError(
                f"{self.file} has the texts of {names}, but the head predicts "
                f"{list(module.schema.names)}; cache the features of its own config"
            )
        if embeddings.shape != module.queries.shape:
            raise ValueError(
                f"{self.file} has embeddings of the shape {embeddings.shape}, but the "
                f"queries have {tuple(module.queries.shape)}; is in_channels the "
                "tower's embed_dim?"
            )
        with torch.no_grad():
            module.queries.copy_(torch.from_numpy(embeddings))
        if hasattr(module, "_params_init_info"):
            update_init_info(module, init_info=f"TextQueries: {self.file}")


def read_texts(file: str | Path) -> tuple[list[str], np.ndarray]:
    """Names of attributes and the embeddings of their prompts, float32, (A, D).

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is another kind of file, or damaged.
    """
    if not Path(file).is_file():
        raise FileNotFoundError(
            f"there is no {file}; tools/cache_features.py writes it beside the "
            "features of a tower with model.backbone.text=True"
        )
    remedy = "write it again, with tools/cache_features.py"
    names, embeddings = read_arrays(file, ("names", "embeddings"), remedy)
    kinds = names.dtype.kind + embeddings.dtype.kind
    if kinds != "Uf" or embeddings.ndim != 2 or names.shape != embeddings.shape[:1]:
        raise ValueError(
            f"{file} has names {names.dtype} {names.shape} and embeddings "
            f"{embeddings.dtype} {embeddings.shape}, expected text (A,) and numbers "
            f"(A, D); {remedy}"
        )
    return names.tolist(), embeddings.astype(np.float32)
