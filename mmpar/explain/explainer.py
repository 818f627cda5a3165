"""What all explainers share: images and attributes in, maps or boxes out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Optional, Union

from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmpar.explain.feature_gradients import layer_maps
from mmpar.models.layers import CellGrid, cell_grids
from mmpar.models.utils import evaluating, unwrap_model
from mmpar.structures.attribute_schema import composed

Attributes = Optional[Sequence[Union[int, str]]]
DataSamples = Optional[Sequence[DataSample]]


class Explainer(ABC):
    """Shows where in the images a model read the attributes.

    Args:
        model: Classifier with ``backbone``, ``neck`` and ``head``, the head a
            :class:`mmpar.models.PARHead`; it may be wrapped for distributed runs.
    """

    FIELD: str

    def __init__(self, model: nn.Module) -> None:
        self.model = unwrap_model(model)
        self._grids: dict[tuple[int, ...], list[CellGrid]] = {}

    @abstractmethod
    def __call__(
        self,
        inputs: Tensor,
        attributes: Attributes = None,
        data_samples: DataSamples = None,
    ) -> Tensor:
        """Explain some attributes of a batch.

        Args:
            inputs: Preprocessed images, ``(B, 3, H, W)``.
            attributes: Names or positions in the schema; None for all of them.
            data_samples: Passed on to models that read more than the image.
        """

    def annotate(self, inputs: Tensor, data_samples: Sequence[DataSample]) -> None:
        """Add the explanations of all attributes to the data samples.

        Args:
            inputs: As for the call.
            data_samples: One per image; each gets the field ``FIELD``.
        """
        found = self(inputs, None, data_samples)
        for sample, value in zip(data_samples, found):
            sample.set_field(value, self.FIELD)

    def grids(
        self, layer: nn.Module, inputs: Tensor, data_samples: DataSamples = None
    ) -> list[CellGrid]:
        """Where the cells of a layer's maps lie in the image.

        They are found once for each size of the inputs.

        Args:
            layer: A part of the model, always the same.
            inputs: As for the call.
            data_samples: As for the call.
        """
        size = tuple(inputs.shape[2:])
        if size not in self._grids:
            one = None if data_samples is None else data_samples[:1]
            with evaluating(self.model):
                self._grids[size] = cell_grids(
                    lambda image: layer_maps(self.model, layer, image, one),
                    size,
                    inputs,
                )
        return self._grids[size]

    def indices(self, attributes: Attributes) -> tuple[int, ...]:
        """Positions in the schema of the model's head.

        Raises:
            ValueError: The schema has no such attribute.
        """
        names = self.model.head.schema.names
        if attributes is None:
            return tuple(range(len(names)))
        known: dict[str | int, int] = {name: i for i, name in enumerate(names)}
        known.update({i: i for i in range(len(names))})
        asked = [composed(a) if isinstance(a, str) else a for a in attributes]
        unknown = [a for a in asked if a not in known]
        if unknown:
            raise ValueError(
                f"the model has no attributes {unknown}; it has {list(names)}, "
                f"positions 0 to {len(names) - 1}"
            )
        return tuple(known[a] for a in asked)


class MapExplainer(Explainer):
    """Gives response maps in pixels of the input, ``(B, n, H, W)``.

    They are in [0, 1] and the largest value is 1, or the whole map is zero where there
    is no positive response. Data samples get ``pred_attribute_maps``, ``(A, H, W)``.
    """

    FIELD = "pred_attribute_maps"


class BoxExplainer(Explainer):
    """Gives boxes, ``(B, n, 4)``, (x1, y1, x2, y2) in pixels of the input.

    Data samples get ``pred_attribute_boxes``, ``(A, 4)``.
    """

    FIELD = "pred_attribute_boxes"


def normalize_maps(maps: Tensor) -> Tensor:
    """Maps ``(..., H, W)``, not negative, each by its maximum; a zero map stays."""
    peak = maps.amax(dim=(-2, -1), keepdim=True)
    return maps / peak.where(peak > 0, peak.new_ones(()))
