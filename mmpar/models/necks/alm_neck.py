"""The neck of ALM: the laterals of its pyramid, and the pooled top for all at once."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmpar.models.layers import Lateral
from mmpar.registry import MODELS


@MODELS.register_module()
class ALMNeck(BaseModule):
    """1x1 laterals of a pyramid by concatenation, and the globally pooled last stage.

    The levels themselves, ``concat(upsample(coarser level), lateral)``, are never
    built, and the convolutions are left to :class:`ALMHead`, which carries out each
    where it is cheapest: see :mod:`mmpar.models.layers.concatenating_pyramid`.

    Source: ALM, arXiv 1910.04562.

    Args:
        in_channels: Channels of the backbone's stages, finest first.
        out_channels: C, channels of every lateral.
        init_cfg: As for every MMEngine module.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        out_channels: int = 256,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.laterals = nn.ModuleList(
            nn.Conv2d(channels, out_channels, 1) for channels in in_channels
        )

    def forward(self, stages: Sequence[Tensor]) -> tuple[Lateral | Tensor, ...]:
        """Laterals and pooled features.

        Args:
            stages: ``(B, C_l, H_l, W_l)``, finest first.

        Returns:
            Per stage a lateral of C channels, then the mean of the last ``(B, C_L)``.

        Raises:
            ValueError: The backbone gives another number of stages than in_channels.
        """
        if len(stages) != len(self.laterals):
            raise ValueError(
                f"the neck has in_channels for {len(self.laterals)} stages, but the "
                f"backbone gives {len(stages)}; set the backbone's out_indices"
            )
        laterals = [
            Lateral(
                stage,
                conv.get_parameter("weight").flatten(1),
                conv.get_parameter("bias"),
            )
            for conv, stage in zip(self.laterals, stages)
        ]
        return (*laterals, stages[-1].mean(dim=(2, 3)))
