"""One of several processes that normalize a batch together; prints what it found."""

import json

import torch
import torch.distributed as dist
from torch import nn

from mmpar.models.layers.shared_batch_norm import share_batch_statistics

SIZES = (3, 1)
"""Images of each process."""


def found(model: nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> dict:
    """Outputs, gradients and buffers after a step, as lists."""
    inputs = inputs.clone().requires_grad_()
    outputs = model(inputs)
    (outputs * targets).sum().backward()
    gradients = torch.stack([p.grad for p in model.parameters()])
    return dict(
        outputs=outputs.tolist(),
        inputs=inputs.grad.tolist(),
        parameters=gradients.tolist(),
        buffers=[b.tolist() for b in model.buffers()],
    )


def data() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    """A normalization, its inputs, and the weights of its outputs in a loss."""
    torch.manual_seed(0)
    shape = (sum(SIZES), 3, 5, 2)
    norm = nn.BatchNorm2d(3).double()
    nn.init.uniform_(norm.weight)
    nn.init.uniform_(norm.bias)
    inputs = 100 + torch.randn(shape, dtype=torch.float64)
    return nn.Sequential(norm), inputs, torch.randn(shape, dtype=torch.float64)


if __name__ == "__main__":
    dist.init_process_group("gloo")
    model, *batch = data()
    share_batch_statistics(model)
    own = [values.split(SIZES)[dist.get_rank()] for values in batch]
    print(json.dumps(found(model, *own)))
    dist.destroy_process_group()
