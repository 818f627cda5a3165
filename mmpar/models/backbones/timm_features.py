"""Backbones of timm that a published model may name."""

from __future__ import annotations

from collections.abc import Sequence

from mmpretrain.models.backbones import TIMMBackbone
from mmpretrain.utils import require

from mmpar.registry import MODELS


@MODELS.register_module()
class TimmFeatures(TIMMBackbone):
    """mmpretrain's ``TIMMBackbone`` for the maps of a model that timm itself defines.

    It fetches and unpickles nothing when it is built, so that a published model can
    have it. Weights come by ``init_cfg``, with :class:`mmpar.models.TimmLayout`.

    Args:
        model_name: As ``timm.list_models()`` has it; the model must support
            ``features_only``.
        out_indices: Maps to return, in most models of 0 (stride 2) to 4 (stride 32).
        init_cfg: As for every MMEngine module.

    Raises:
        ImportError: timm is not installed.
        ValueError: timm has no such model.
    """

    @require("timm")
    def __init__(
        self,
        model_name: str,
        out_indices: Sequence[int],
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        import timm

        if not timm.is_model(model_name):
            raise ValueError(
                f"timm {timm.__version__} has no model {model_name!r}; "
                "timm.list_models() has those that it defines"
            )
        super().__init__(
            model_name,
            features_only=True,
            out_indices=tuple(out_indices),
            init_cfg=init_cfg,
        )
