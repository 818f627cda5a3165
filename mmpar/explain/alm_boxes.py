"""The regions that ALM learned for its attributes as their boxes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmpar.explain.explainer import Attributes, BoxExplainer, DataSamples
from mmpar.explain.feature_gradients import layer_inputs
from mmpar.registry import EXPLAINERS


@EXPLAINERS.register_module()
class ALMBoxes(BoxExplainer):
    """An attribute's region at the level that spoke loudest for it.

    ALM reads every attribute at every level from a region of its own; the box is that
    of the level with the largest logit. The global prediction has no box.

    Args:
        model: See :class:`Explainer`; its head is an :class:`ALMHead`.

    Raises:
        ValueError: The head gives no regions.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        head = self.model.head
        if not (hasattr(head, "read") and hasattr(head, "boxes")):
            raise ValueError(
                "ALM's boxes come from ALMHead, but the model has "
                f"{type(head).__name__}; use GradCAM, or GradCAMP for SSPNet"
            )

    @torch.no_grad()
    def __call__(
        self,
        inputs: Tensor,
        attributes: Attributes = None,
        data_samples: DataSamples = None,
    ) -> Tensor:
        """Boxes, ``(B, n, 4)``; see :class:`BoxExplainer`."""
        head = self.model.head
        (feats,) = layer_inputs(self.model, head, inputs, data_samples)
        (*levels, _), regions = head.read(feats)
        boxes = head.boxes(feats, regions)  # (B, L, A, 4)
        loudest = torch.stack(levels, dim=1).argmax(dim=1)  # (B, A)
        picked = boxes.gather(1, loudest[:, None, :, None].expand(-1, 1, -1, 4))[:, 0]
        height, width = inputs.shape[2:]
        # Half types have no pixel 257.
        size = torch.tensor(
            [width, height] * 2, dtype=torch.float32, device=picked.device
        )
        pixels = picked * size
        return pixels[:, list(self.indices(attributes))]
