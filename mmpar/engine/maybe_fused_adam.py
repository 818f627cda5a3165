"""Adam whose step is one call, where torch has that."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.logging import print_log

from mmpar.registry import OPTIMIZERS


@OPTIMIZERS.register_module()
def maybe_fused_adam(params: Any, **kwargs: Any) -> torch.optim.Adam:
    """torch's Adam, fused if torch can do so for these parameters.

    Results are equal but for rounding. torch before 2.4 fuses on GPUs only: where it
    refuses, the optimizer is the ordinary one, and the log says so.

    Args:
        params: What is trained, as for ``torch.optim.Adam``.
        **kwargs: As for ``torch.optim.Adam``, without ``fused``.
    """
    groups = list(params)  # a generator is read once, and there may be two attempts
    try:
        return torch.optim.Adam(groups, fused=True, **kwargs)
    except RuntimeError as error:
        print_log(f"Adam is not fused: {error}", "current")
        return torch.optim.Adam(groups, **kwargs)
