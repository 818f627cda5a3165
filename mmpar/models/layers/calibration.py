"""The scores of a decision rule, as a module that exports to ONNX."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmpar.structures import Calibration


class CalibratedScores(nn.Module):
    """Logits to probabilities, as :meth:`Calibration.probabilities` gives them.

    It has no parameters, and its buffers are not in state dicts: they belong to the
    decision rule, which travels beside the weights.

    Args:
        calibration: Scale and bias per attribute, softmax per exclusive set; the
            sigmoid alone if None.
    """

    scale: Tensor
    bias: Tensor
    order: Tensor

    def __init__(self, calibration: Calibration | None) -> None:
        super().__init__()
        self.calibrated = calibration is not None
        if calibration is None:
            return
        self.sets = calibration.softmax_sets
        count = len(calibration.schema)
        taken = [i for members, _ in self.sets for i in members]
        self.alone = [i for i in range(count) if i not in taken]
        # Where the scores of each attribute are once those of a set stand together.
        order = torch.tensor([*self.alone, *taken]).argsort()
        for name, values in (("scale", calibration.scale), ("bias", calibration.bias)):
            self.register_buffer(name, torch.tensor(values), persistent=False)
        self.register_buffer("order", order, persistent=False)

    def forward(self, logits: Tensor) -> Tensor:
        """Probabilities ``(B, A)`` of logits ``(B, A)``, float32 or finer."""
        # In bfloat16, 8 and 9 would have the score 1, and 0.003 that of 0.
        dtype = torch.promote_types(logits.dtype, torch.float32)
        if not self.calibrated:
            return logits.to(dtype).sigmoid()
        z = logits.to(dtype) * self.scale + self.bias
        parts = [z[:, self.alone].sigmoid()]
        for members, softmax in self.sets:
            inner = z[:, list(members)] / softmax.temperature
            none = torch.full_like(inner[:, :1], softmax.none)
            parts.append(torch.cat([inner, none], dim=1).softmax(dim=1)[:, :-1])
        return torch.cat(parts, dim=1)[:, self.order]
