"""Feature maps of one forward pass, and the gradients of logits on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mmpar.models.utils import evaluating

# Gradients of half-precision logits on maps that are pooled underflow without it, as
# in training; a power of two takes nothing from their precision.
_SCALE = 1024.0


@dataclass
class FeatureGradients:
    """Logits and the feature maps that they were computed from.

    The graph begins at the feature maps, so that a backward pass goes no further, and
    at no parameter, so that none gets a gradient.

    Args:
        names: Of the attributes.
        logits: ``(B, A)``.
        maps: What the layer gave, each ``(B, C, h, w)``, by position or, of a layer
            that gives a mapping, by name.
        layer_inputs: What it was called with.
    """

    names: Sequence[str]
    logits: Tensor
    maps: dict[Any, Tensor]
    layer_inputs: tuple[Any, ...]

    @property
    def last(self) -> Any:
        """The position or name of the last map."""
        return [*self.maps][-1]

    def gradient(self, attribute: int, map_index: Any) -> Tensor:
        """Gradients of a logit on the feature map ``map_index``, ``(B, C, h, w)``.

        Images of a batch do not influence each other in eval mode, so the sum of
        their logits has the gradients of all.

        Raises:
            ValueError: The precision is too low for them: they or the features
                overflow.
        """
        gradient = self._scaled(attribute, map_index, _SCALE)
        finite = gradient.isfinite().flatten(1).all(dim=1)
        if not finite.all():
            unscaled = self._scaled(attribute, map_index, 1.0)
            gradient = gradient.where(finite[:, None, None, None], unscaled)
        if not (gradient.isfinite().all() and self.maps[map_index].isfinite().all()):
            raise ValueError(
                f"the gradients of attribute {self.names[attribute]!r} or the features "
                "that they belong to are not finite, with logits of "
                f"{self.logits.dtype}; if the model's predictions are finite in "
                "float32, explain it in float32 or bfloat16 (ExplainLoop: fp16=False)"
            )
        return gradient

    def _scaled(self, attribute: int, map_index: Any, scale: float) -> Tensor:
        """The gradients, computed from a logit ``scale`` times as large."""
        features = self.maps[map_index]
        picked = torch.zeros_like(self.logits)
        picked[:, attribute] = scale
        (gradient,) = torch.autograd.grad(
            self.logits, features, picked, retain_graph=True, allow_unused=True
        )
        return torch.zeros_like(features) if gradient is None else gradient / scale


def feature_gradients(
    model: Any, layer: nn.Module, inputs: Tensor, data_samples: Any = None
) -> FeatureGradients:
    """Run ``model`` in eval mode and cut its graph at the output of ``layer``.

    Hooks are removed and training modes restored, also after an error. Feature maps
    are float32 at least, also under autocast.

    Args:
        model: Classifier, called in mode ``'tensor'``; its head has the schema.
        layer: A part of it that gives a map or several, ``(B, C, h, w)``.
        inputs: ``(B, 3, H, W)``.
        data_samples: Handed to the model.

    Raises:
        ValueError: The layer gives something else, or is not run exactly once.
    """
    maps: dict[Any, Tensor] = {}
    runs: list[tuple[Any, ...]] = []
    with ExitStack() as stack:

        def cut(module: nn.Module, args: Any, output: Any) -> Any:
            runs.append(args)
            outputs = _by_name(output)
            _require_maps(module, outputs.values())
            maps.clear()
            maps.update(
                (
                    name,
                    value.detach()
                    .to(torch.promote_types(value.dtype, torch.float32))
                    .requires_grad_(),
                )
                for name, value in outputs.items()
            )
            # From here on the graph is recorded, until the stack closes.
            stack.enter_context(torch.enable_grad())
            # Copies: what follows may work in place.
            copies = {
                name: maps[name].to(value.dtype, copy=True)
                for name, value in outputs.items()
            }
            if isinstance(output, Mapping):
                return copies
            return copies[0] if isinstance(output, Tensor) else tuple(copies.values())

        stack.enter_context(evaluating(model))
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.no_grad())
        stack.callback(layer.register_forward_hook(cut).remove)
        logits = model(inputs, data_samples, mode="tensor")
    args = _only_run(layer, runs)
    return FeatureGradients(model.head.schema.names, logits, maps, args)


@torch.no_grad()
def layer_inputs(
    model: nn.Module, layer: nn.Module, inputs: Tensor, data_samples: Any = None
) -> tuple[Any, ...]:
    """Run ``model`` in eval mode and return what ``layer`` was called with.

    Raises:
        ValueError: The layer is not run exactly once.
    """
    with evaluating(model):
        args, _ = _run_layer(model, layer, inputs, data_samples)
    return args


def layer_maps(
    model: nn.Module, layer: nn.Module, inputs: Tensor, data_samples: Any = None
) -> list[Tensor]:
    """Run ``model`` and return the maps that ``layer`` gave, ``(B, C, h, w)``.

    Raises:
        ValueError: The layer gives something else, or is not run exactly once.
    """
    _, output = _run_layer(model, layer, inputs, data_samples)
    maps = [*_by_name(output).values()]
    _require_maps(layer, maps)
    return maps


def _run_layer(
    model: nn.Module, layer: nn.Module, inputs: Tensor, data_samples: Any
) -> tuple[tuple[Any, ...], Any]:
    """Run ``model``: what ``layer``, which runs once, was called with, and gave."""
    runs: list[Any] = []

    def keep(module: nn.Module, args: Any, output: Any) -> None:
        runs.append((args, output))

    with ExitStack() as stack:
        stack.callback(layer.register_forward_hook(keep).remove)
        model(inputs, data_samples, mode="tensor")
    return _only_run(layer, runs)


def _only_run(layer: nn.Module, runs: list[Any]) -> Any:
    if len(runs) != 1:
        raise ValueError(
            f"the target layer {type(layer).__name__} ran {len(runs)} times in one "
            "forward pass, so its features are not defined; choose one that runs once"
        )
    return runs[0]


def _by_name(output: Any) -> dict[Any, Any]:
    """What a layer gave by name, or by position if it gave no mapping."""
    if isinstance(output, Mapping):
        return dict(output)
    return dict(enumerate((output,) if isinstance(output, Tensor) else output))


def _require_maps(layer: nn.Module, outputs: Iterable[Any]) -> None:
    for value in outputs:
        if not isinstance(value, Tensor) or value.ndim != 4:
            found = (
                f"a tensor of shape {tuple(value.shape)}"
                if isinstance(value, Tensor)
                else type(value).__name__
            )
            raise ValueError(
                f"the target layer {type(layer).__name__} gives {found}, expected "
                "feature maps (B, C, h, w); choose a layer before pooling, or let the "
                "backbone give maps (for transformers out_type='featmap')"
            )
