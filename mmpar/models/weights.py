"""Which weights of a checkpoint fit a model, and the error if none does."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

# Of these, the first counts batches and the second holds no weights.
_NOT_WEIGHTS = ("num_batches_tracked", "_extra_state")
_OFFICIAL_CODES = {
    "classifier.PLEs.": "SSPNet",
    "classifier.logits": "the Strong Baseline",
    "main_branch.": "ALM",
}
"""Part of a name that only one official code gives, to its method."""


@dataclass(frozen=True)
class WeightsFit:
    """How the weights of a checkpoint fit those of a model, by their names.

    Attributes:
        total: How many the model has.
        missing: Those that the checkpoint lacks.
        misshapen: Those whose shape in the checkpoint differs.
        unexpected: Those of the checkpoint that the model lacks.
    """

    total: int
    missing: list[str]
    misshapen: list[str]
    unexpected: list[str]

    @property
    def matched(self) -> int:
        """How many of the model's weights are in the checkpoint."""
        return self.total - len(self.missing) - len(self.misshapen)

    @property
    def is_exact(self) -> bool:
        """Whether model and checkpoint have the same weights."""
        return not (self.missing or self.misshapen or self.unexpected)

    def require_exact(self, what: str) -> None:
        """Refuse weights that are not those of the model.

        Args:
            what: The weights, for the error.

        Raises:
            ValueError: They are not; says which.
        """
        if not self.is_exact:
            raise ValueError(
                f"{what} does not fit the model: {self}; use the config that it was "
                "trained with"
            )

    def __str__(self) -> str:
        text = f"{self.matched} of the model's {self.total} weights match"
        parts = (
            ("missing in the checkpoint", self.missing),
            ("of a different shape", self.misshapen),
            ("not in the model", self.unexpected),
        )
        for what, names in parts:
            if names:
                text += f"; {len(names)} {what}, first: {', '.join(names[:3])}"
        return text


def weights_of(checkpoint: Any, source: str) -> OrderedDict[str, Tensor]:
    """The state dict of a checkpoint: under ``state_dict``, or all of it.

    Names lose the ``module.`` of wrapped models, however often it is repeated.

    Args:
        checkpoint: As loaded.
        source: Its path or address, for the error.

    Raises:
        ValueError: It is not a mapping from names.
    """
    weights = checkpoint
    if isinstance(checkpoint, Mapping):
        weights = checkpoint.get("state_dict", checkpoint)
    if not isinstance(weights, Mapping) or not all(isinstance(k, str) for k in weights):
        raise ValueError(
            f"the checkpoint {source} holds a {type(weights).__name__}, expected a "
            "state dict, or a dict that holds one under 'state_dict'"
        )
    renamed = OrderedDict((bare_name(key), value) for key, value in weights.items())
    metadata = getattr(weights, "_metadata", None)
    if metadata is not None:
        renamed._metadata = metadata  # type: ignore[attr-defined]
    return renamed


def bare_name(name: str) -> str:
    """A weight's name without the ``module.`` of one or more wrappers.

    >>> bare_name("module.module.head.weight")
    'head.weight'
    """
    return re.sub(r"^(module\.)+", "", name)


def load_weights(module: nn.Module, weights: OrderedDict[str, Tensor]) -> WeightsFit:
    """Load what fits by name and shape, as MMEngine does, and report how it fits.

    The modules themselves load, so that those which rename weights of other layouts can
    do so first.
    """
    metadata = getattr(weights, "_metadata", {})
    missing: list[str] = []
    unexpected: list[str] = []
    errors: list[str] = []

    def load(part: nn.Module, found: dict[str, Tensor], prefix: str) -> None:
        own = metadata.get(prefix[:-1], {})
        part._load_from_state_dict(
            found, prefix, own, True, missing, unexpected, errors
        )
        for name, child in part._modules.items():
            if child is not None:
                inner = f"{prefix}{name}."
                load(
                    child,
                    {k: v for k, v in found.items() if k.startswith(inner)},
                    inner,
                )

    load(module, dict(weights), "")
    misshapen = re.findall(
        r'(?:size mismatch for |parameter named ")([^\s:"]+)', "\n".join(errors)
    )
    total = sum(map(_is_weight, module.state_dict()))
    lists = ([*filter(_is_weight, names)] for names in (missing, misshapen, unexpected))
    return WeightsFit(total, *lists)


def _is_weight(name: str) -> bool:
    return not name.endswith(_NOT_WEIGHTS)


def no_weight_fits(module: nn.Module, checkpoint: Mapping, source: str) -> str:
    """The error message for a checkpoint none of whose weights fits a model.

    Args:
        module: The model, or a part of it.
        checkpoint: As loaded.
        source: Its path or address.
    """
    found = {"": checkpoint, **_inner_weights(checkpoint)}
    text = "; ".join(
        (f"under {key!r} there are " if key else "it holds ") + _listed(names)
        for key, names in found.items()
    )
    names = {bare_name(str(name)) for inner in found.values() for name in inner}
    remedy = _part_remedy(module, weights_of(checkpoint, source)) or _conversion(names)
    return (
        f"no weight of the checkpoint {source} fits the model: {text}. Expected are "
        f"weights of this model under 'state_dict', or alone. {remedy}"
    )


def _inner_weights(checkpoint: Mapping) -> dict[str, Mapping]:
    return {
        str(key): value
        for key, value in checkpoint.items()
        if isinstance(value, Mapping)
        and any(isinstance(one, Tensor) for one in value.values())
    }


def _part_remedy(module: nn.Module, names: Iterable[str]) -> str | None:
    """What to do if they are the weights of a part of the model, or of a larger one."""
    ours = module.state_dict().keys()
    for name in names:
        for child, _ in module.named_children():
            if f"{child}.{name}" in ours:
                return (
                    f"They are weights of its {child} alone: give them as "
                    f"model.{child}.init_cfg=dict(type='Pretrained', checkpoint=...)"
                )
        part, _, rest = name.partition(".")
        if rest in ours:
            return f"They are weights of a whole model: add prefix={part!r} to init_cfg"
    return None


def official_code_of(names: Iterable[str]) -> str | None:
    """The method whose official code gives weights these names, None if none does."""
    text = " ".join(names)
    return next((t for part, t in _OFFICIAL_CODES.items() if part in text), None)


def _conversion(names: Iterable[str]) -> str:
    title = official_code_of(names)
    found = f"They are of the official code of {title}: convert" if title else "Convert"
    return (
        f"{found} checkpoints of official codes ({', '.join(_OFFICIAL_CODES.values())})"
        " by tools/model_converters/official_to_mmpar.py"
    )


def _listed(mapping: Mapping, most: int = 5) -> str:
    names = [str(key) for key in mapping]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
