"""Pre-trained weights by ``init_cfg`` that never silently leave a model random."""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import Any

from mmengine.logging import print_log
from mmengine.model import PretrainedInit as MMEnginePretrainedInit
from mmengine.model import update_init_info
from mmengine.runner.checkpoint import _load_checkpoint, load_state_dict
from torch import Tensor, nn

from mmpar.models.weights import load_weights, no_weight_fits, weights_of
from mmpar.registry import TASK_UTILS, WEIGHT_INITIALIZERS


@WEIGHT_INITIALIZERS.register_module("Pretrained")
class PretrainedInit(MMEnginePretrainedInit):
    """MMEngine's ``Pretrained`` that logs how many weights match and requires some.

    Args:
        checkpoint: Path or address of the file.
        prefix: Take the part of a whole model that has this name, e.g. ``backbone``.
        map_location: As for :func:`torch.load`.
        layout: Config of a layout of :mod:`mmpar.models.weight_layouts`, for a file
            whose weights have other names: ``dict(type="TimmLayout")``.
    """

    def __init__(
        self,
        checkpoint: str,
        prefix: str | None = None,
        map_location: str | None = None,
        layout: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(checkpoint, prefix, map_location)
        self.layout = None if layout is None else TASK_UTILS.build(layout)

    def __call__(self, module: nn.Module) -> None:
        """Load the weights.

        Raises:
            ValueError: None of them fits the module.
        """
        checkpoint = _load_checkpoint(self.checkpoint, map_location=self.map_location)
        if self.layout is not None:
            checkpoint = self.layout(checkpoint, module)
        weights = self._part(weights_of(checkpoint, self.checkpoint))
        fit = load_weights(module, weights)
        if fit.matched == 0:
            raise ValueError(no_weight_fits(module, checkpoint, self.checkpoint))
        # Once more as MMEngine does it, for the modules' own load hooks.
        load_state_dict(module, weights, strict=False, logger="silent")
        level = logging.WARNING if fit.missing or fit.misshapen else logging.INFO
        name = type(module).__name__
        print_log(f"{name} from {self.checkpoint}: {fit}", "current", level)
        if hasattr(module, "_params_init_info"):
            update_init_info(module, init_info=self._get_init_info())

    def _part(self, weights: OrderedDict[str, Tensor]) -> OrderedDict[str, Tensor]:
        if self.prefix is None:
            return weights
        prefix = self.prefix.rstrip(".") + "."
        part = OrderedDict(
            (key[len(prefix) :], value)
            for key, value in weights.items()
            if key.startswith(prefix)
        )
        if not part:
            parts = sorted({key.split(".")[0] for key in weights})
            raise ValueError(
                f"no weight of the checkpoint {self.checkpoint} belongs to the part "
                f"{self.prefix!r}; it has the parts {', '.join(parts)}"
            )
        return part
