"""One line from a trained model to answers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import mmpar.registry  # noqa: F401  checks the installation before MMEngine is imported

# isort: split
import numpy as np
import torch
from mmengine.device import get_device
from mmengine.infer import BaseInferencer
from mmengine.logging import print_log
from mmpretrain.structures import DataSample
from rich.console import Console
from rich.progress import track
from torch import Tensor

from mmpar.apis.model_files import load_model
from mmpar.apis.model_zoo import list_models
from mmpar.apis.predictor import Person, Predictor, stack_keypoints
from mmpar.datasets.transforms import LoadPersonImage, Resize
from mmpar.evaluation.functional import map_to_box
from mmpar.explain import Explainer, MapExplainer, has_regions
from mmpar.models import ALMHead
from mmpar.models.classifiers.par_classifier import keypoint_samples
from mmpar.registry import EXPLAINERS
from mmpar.structures.model_card import ModelCard
from mmpar.structures.par_result import PARResult
from mmpar.structures.thresholds import Threshold
from mmpar.utils.shipped import find_config, model_index

PRECISIONS = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}
"""Name to the type that the model computes in, under autocast."""

_LONG = 3  # batches, from which on a progress bar is worth its lines


class TorchPredictor(Predictor):
    """Runs a model in torch, prepared for inference.

    Args:
        model: A published file, a checkpoint or a work dir.
        device: Where the model runs; the best there is by default.
        batch_size: As for :class:`Predictor`.
        threshold: As for :class:`Predictor`.
        precision: One of ``PRECISIONS``. ``bf16`` and ``fp16`` are faster where the
            device has them, and move scores by up to some thousandths.
        compile: Whether ``torch.compile`` translates the model first. Takes a minute,
            and another at a last batch of another size.
        texts: Statements about a person that are scored, too, by a model whose tower
            has a text side.

    Raises:
        ValueError: No such precision, or the device does not compute in it, or the
            model has no text side; and as :func:`load_model`.
    """

    def __init__(
        self,
        model: str | Path,
        device: str | torch.device | None = None,
        batch_size: int = 32,
        threshold: Threshold | None = None,
        precision: str = "fp32",
        compile: bool = False,
        texts: Sequence[str] = (),
    ) -> None:
        if precision not in PRECISIONS:
            raise ValueError(
                f"precision is {precision!r}; choose one of {', '.join(PRECISIONS)}"
            )
        self.device = torch.device(device or get_device())
        self._dtype = PRECISIONS[precision]
        _require_autocast(self.device, self._dtype)
        self.model, card = load_model(model, self.device)
        super().__init__(card, batch_size, threshold, texts)
        self.model = self.model.to(memory_format=torch.channels_last)
        forward = self.model
        if self.texts:
            self._queries = _query_texts(self.model, card, self.texts)
            forward = self._forward_with_texts
        self._forward = torch.compile(forward) if compile else forward
        steps = card.preprocessing
        self._size = (steps.width, steps.height)
        self._loader = LoadPersonImage(
            color_type="color" if steps.use_exif else "color_ignore_orientation"
        )
        self._resize = Resize(
            self._size, backend=steps.resize, interpolation=steps.interpolation
        )

    @property
    def read(self) -> Callable[[str], np.ndarray]:
        """Reads as the test pipeline does, any file that MMEngine can open."""
        return partial(_read_image, self._loader)

    def prepare(self, crop: np.ndarray) -> np.ndarray:
        """The crop at the size of the input, uint8, (H, W, 3), BGR."""
        resized: np.ndarray = self._resize.transform(dict(img=crop))["img"]
        return resized

    @torch.inference_mode()
    def score(self, inputs: list[np.ndarray], keypoints: np.ndarray | None) -> Any:
        """See :class:`Predictor`."""
        images, samples = self._batch(inputs, keypoints)
        with self._autocast():
            logits = self._forward(images, samples, mode="tensor").float().cpu()
        of_attributes, of_texts = logits.tensor_split([len(self.card.schema)], dim=1)
        scores = self.rule.scores(of_attributes.numpy())
        return np.concatenate((scores, of_texts.sigmoid().numpy()), axis=1)

    def _forward_with_texts(
        self, images: Tensor, samples: list[DataSample] | None, mode: str
    ) -> Tensor:
        """Logits (B, A + T) of attributes and texts, from one pass of the tower."""
        found = self.model.backbone(images)
        features = self.model.neck(found) if self.model.with_neck else found
        embedding = self.model.backbone.image_embedding(found)
        return torch.cat((self.model.head(features), embedding @ self._queries.t()), 1)

    def explain(
        self,
        inputs: Any,
        attributes: Sequence[str] | None = None,
        explainer: str | dict[str, Any] | None = None,
        **options: Any,
    ) -> Iterator[PARResult]:
        """As :meth:`iterate`, with boxes, and maps if the explainer gives them.

        Args:
            inputs: As for :meth:`iterate`.
            attributes: Names of the attributes; None for those present in each image.
            explainer: Registered name, or config with settings; by default the one for
                this kind of model.
            **options: As for :meth:`iterate`.

        Raises:
            ValueError: The schema lacks an attribute, or there is no such explainer.
        """
        cfg = dict(type=explainer) if isinstance(explainer, str) else explainer
        if cfg is None:
            cfg = dict(type=default_explainer(self.model))
        built = EXPLAINERS.build(cfg, default_args=dict(model=self.model))
        if attributes is not None:
            built.indices(attributes)  # before an image is read
        annotate = partial(self._annotate, built, attributes)
        return self.iterate(inputs, annotate=annotate, **options)

    def _batch(
        self, inputs: list[np.ndarray], keypoints: np.ndarray | None
    ) -> tuple[Tensor, list[DataSample] | None]:
        """Normalized images (B, 3, H, W), and samples for a model that reads them."""
        pixels = torch.from_numpy(np.stack(inputs)).permute(0, 3, 1, 2)
        data = self.model.data_preprocessor(dict(inputs=pixels.to(self.device)))
        images = data["inputs"].contiguous(memory_format=torch.channels_last)
        if keypoints is None or not self.card.needs_keypoints:
            return images, None
        return images, keypoint_samples(keypoints, *self._size)

    def _autocast(self) -> Any:
        if self._dtype is None:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, self._dtype)

    def _annotate(
        self,
        explainer: Explainer,
        attributes: Sequence[str] | None,
        persons: list[Person],
        results: list[PARResult],
    ) -> list[PARResult]:
        """The results of readable persons with boxes and maps."""
        names = attributes
        if names is None:
            shown = {name for result in results for name in result.present}
            names = [name for name in self.card.schema.names if name in shown]
        if not names:
            return results
        inputs = [person.prepared for person in persons]
        images, samples = self._batch(inputs, stack_keypoints(persons))
        found = explainer(images, names, samples).float().cpu().numpy()
        return [
            _explained(result, dict(zip(names, values)), attributes, person, explainer)
            for result, values, person in zip(results, found, persons)
        ]


def _require_autocast(device: torch.device, dtype: torch.dtype | None) -> None:
    """Ask before a model is loaded whether a device computes in a type."""
    if dtype is None:
        return
    try:
        torch.autocast(device.type, dtype)
    except RuntimeError as error:  # such as MPS before torch 2.5
        raise ValueError(
            f"torch {torch.__version__} does not compute in {dtype} on {device} "
            f"({error}); leave precision out"
        ) from error


def default_explainer(model: Any) -> str:
    """Name of the explainer that fits a model best."""
    if has_regions(model):
        return "GradCAMP"
    return "ALMBoxes" if isinstance(model.head, ALMHead) else "GradCAM"


def _query_texts(model: Any, card: ModelCard, texts: Sequence[str]) -> Tensor:
    """Vectors (T, D) that an image's embedding is multiplied with.

    Raises:
        ValueError: A text is empty, or the model has no text side or has left it.
    """
    if not all(text.strip() for text in texts):
        raise ValueError(
            f"texts are {list(texts)}; each says something about a person, such as "
            "'carries a red umbrella'"
        )
    if getattr(model.backbone, "text", None) is None:
        raise ValueError(
            f"the model {card.name} cannot answer texts: its backbone is a "
            f"{type(model.backbone).__name__} without a text side. Use a model of "
            "configs/towers that was joined with model.backbone.text=True"
        )
    if not model.backbone.frozen:
        raise ValueError(
            f"the model {card.name} cannot answer texts: its tower was trained "
            "further, away from its text side. Use one with model.backbone.frozen=True"
        )
    queries: Tensor = model.backbone.query_texts(texts)
    return queries


def _read_image(loader: LoadPersonImage, path: str) -> np.ndarray:
    pixels: np.ndarray = loader.transform(dict(img_path=path))["img"]
    return pixels


def _explained(
    result: PARResult,
    found: dict[str, np.ndarray],
    attributes: Sequence[str] | None,
    person: Person,
    explainer: Explainer,
) -> PARResult:
    """A result with the maps or boxes of the attributes that were asked for."""
    wanted = result.present if attributes is None else attributes
    height, width = person.prepared.shape[:2]
    scale = np.tile((person.size[0] / width, person.size[1] / height), 2)
    boxes, maps = {}, {}
    for name in wanted:
        box = found[name]
        if isinstance(explainer, MapExplainer):
            maps[name] = found[name]
            box = map_to_box(found[name])
        if not np.isnan(box).any():
            x1, y1, x2, y2 = (box * scale).tolist()
            boxes[name] = (x1, y1, x2, y2)
    return replace(result, boxes=boxes, maps=maps)


class PARInferencer(BaseInferencer):
    """Attributes of persons, from a model in any form and images of any kind.

    >>> from mmpar import PARInferencer
    >>> inferencer = PARInferencer("model.safetensors")  # doctest: +SKIP
    >>> inferencer("person.jpg")  # doctest: +SKIP
    [PARResult(person.jpg, present: Female 0.98, Hat 0.91; absent: 24 more)]

    Args:
        model: A published file, a checkpoint, a work dir, an exported ``.onnx``, or the
            name of a config: its published weights, or what was trained by it in
            ``work_dirs/NAME`` below the current folder.
        device: Where the model runs; the best there is by default. An exported model
            runs on the CPU.
        batch_size: Crops that the model gets at once.
        threshold: Instead of the model's own: one number, one per attribute, or a
            mapping from attribute names (those not named keep their own).
        precision: See :class:`TorchPredictor`.
        compile: See :class:`TorchPredictor`.
        texts: See :class:`TorchPredictor`; answers are ``texts`` of a result.
        show_progress: Whether long lists get a progress bar.

    Raises:
        ValueError: The model is none of these, or says something that does not fit.
    """

    preprocess_kwargs: ClassVar[set[str]] = set()
    forward_kwargs: ClassVar[set[str]] = set()
    visualize_kwargs: ClassVar[set[str]] = set()
    postprocess_kwargs: ClassVar[set[str]] = set()

    def __init__(
        self,
        model: str | Path,
        device: str | torch.device | None = None,
        batch_size: int = 32,
        threshold: Threshold | None = None,
        *,
        precision: str = "fp32",
        compile: bool = False,
        texts: Sequence[str] = (),
        show_progress: bool = True,
    ) -> None:
        self.show_progress = show_progress
        self.predictor: Predictor
        model = _find_weights(model)
        if Path(model).suffix.lower() == ".onnx":
            if device not in (None, "cpu") or precision != "fp32" or compile:
                raise ValueError(
                    f"the exported model {model} runs on the CPU, in the precision of "
                    "its export; leave out device, precision and compile"
                )
            if texts:
                raise ValueError(
                    f"the exported model {model} has no text side; use the published "
                    "file that it was exported from"
                )
            from mmpar.deploy import OnnxPARInferencer

            self.predictor = OnnxPARInferencer(model, batch_size, threshold)
        else:
            self.predictor = TorchPredictor(
                model, device, batch_size, threshold, precision, compile, texts
            )
        self.card = self.predictor.card

    def __call__(
        self, inputs: Any, boxes: Any = None, **options: Any
    ) -> list[PARResult]:
        """One result per person, in the order of the images and of their boxes.

        Args:
            inputs: A path or URL, a folder, a glob pattern, a NumPy array (BGR as in
                OpenMMLab), a PIL image, a tensor, or any iterable of these.
            boxes: Persons to cut out, (N, 4) xyxy in pixels for a single image, else
                one such array per image.
            **options: ``keypoints``, ``rgb``, ``abstain`` and ``batch_size``, see
                :meth:`Predictor.iterate`.
        """
        return list(self._tracked(self.iterate(inputs, boxes, **options)))

    def iterate(
        self, inputs: Any, boxes: Any = None, **options: Any
    ) -> Iterator[PARResult]:
        """The same one at a time; any number of images fits into memory."""
        return self.predictor.iterate(inputs, boxes, **options)

    def explain(
        self, inputs: Any, attributes: Sequence[str] | None = None, **options: Any
    ) -> Iterator[PARResult]:
        """Results with boxes and maps; see :meth:`TorchPredictor.explain`.

        Raises:
            ValueError: The model was exported: it has no gradients to explain by.
        """
        if not isinstance(self.predictor, TorchPredictor):
            raise ValueError(
                "an exported model cannot be explained; use the published file that it "
                "was exported from"
            )
        return self.predictor.explain(inputs, attributes, **options)

    def _tracked(self, results: Iterator[PARResult]) -> Iterable[PARResult]:
        """With a progress bar from the third batch on."""
        for count, result in enumerate(results, 1):
            yield result
            if count == _LONG * self.predictor.batch_size and self.show_progress:
                console = Console(stderr=True)
                yield from track(results, "persons", transient=True, console=console)

    @staticmethod
    def list_models(pattern: str | None = None) -> list[str]:
        """Names of the models that mmpar has configs of."""
        return list_models(pattern)

    def _init_pipeline(self, cfg: Any) -> Any:
        raise NotImplementedError("the predictor reads and prepares images")

    def visualize(
        self, inputs: list[Any], preds: list[PARResult], **kwargs: Any
    ) -> list[np.ndarray]:
        """Drawings of the results as arrays, (H, W, 3), RGB."""
        return [np.asarray(result.plot()) for result in preds if result.error is None]

    def postprocess(
        self,
        preds: list[PARResult],
        visualization: list[np.ndarray],
        *args: Any,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """As plain containers."""
        predictions = [result.to_dict() for result in preds]
        return dict(predictions=predictions, visualization=visualization)


def _find_weights(model: str | Path) -> str | Path:
    """What a model is loaded from; a name is looked up.

    Raises:
        ValueError: No model is called so, or nothing was published or trained under
            this name.
    """
    name = str(model)
    if Path(name).exists() or Path(name).suffix or Path(name).name != name:
        return model
    find_config(name)  # says which names are near
    published = model_index()[name].get("Weights")
    work_dir = Path("work_dirs", name)
    if not published and not work_dir.is_dir():
        raise ValueError(
            f"no weights of {name} are published, and there is no {work_dir} here; "
            f"train it: mmpar train {name}, or name a published file, a checkpoint or "
            "a work dir"
        )
    found = published or work_dir
    print_log(f"{name} is read from {found}", "current")
    return found
