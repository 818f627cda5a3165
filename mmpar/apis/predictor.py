"""From images to results, whatever runs the model: reading, batching, answering."""

from __future__ import annotations

import contextlib
import os
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import compress, islice
from typing import Any

import numpy as np

from mmpar.apis.image_inputs import (
    Box,
    ImageInput,
    Pixels,
    Read,
    iterate_images,
    load_pixels,
)
from mmpar.structures.boxes import crop_box
from mmpar.structures.decision import NOT_SURE, DecisionRule
from mmpar.structures.image_quality import ImageQuality, measure_image_quality
from mmpar.structures.model_card import ModelCard
from mmpar.structures.par_result import GroupAnswer, PARResult
from mmpar.structures.thresholds import Threshold, build_thresholds

Annotate = Callable[[list["Person"], list[PARResult]], list[PARResult]]

UNCERTAIN = "uncertain"
"""Why the model is not sure: both answers are plausible at the wanted coverage."""

NOT_FINITE = (
    "the model's scores of this image are not finite numbers; in fp16 they can "
    "overflow: use fp32 or bf16. If it is so for every image, the weights are broken"
)
"""Why there is nothing to decide."""

WORKERS = min(8, os.cpu_count() or 1)
"""Threads that read and resize images while the model runs."""


@dataclass
class Person:
    """A crop on its way through the predictor.

    Attributes:
        image: Where it was cut from.
        box: xyxy in pixels of the image, None for the whole.
        size: Width and height of the crop in pixels.
        prepared: What the model gets, None after an error.
        keypoints: (17, 3), x and y in fractions of the crop, and visibility.
        quality: Of the crop, if the model may abstain.
        error: Why there is nothing to predict.
    """

    image: ImageInput
    box: Box | None
    size: tuple[int, int] = (0, 0)
    prepared: Any = None
    keypoints: np.ndarray | None = None
    quality: ImageQuality | None = None
    error: str | None = None


class Predictor(ABC):
    """Predicts the attributes of persons in images of many kinds.

    A subclass says how an image is read, how a crop is prepared, and what the model
    makes of a batch of them.

    Args:
        card: What the model says of itself.
        batch_size: Crops that the model gets at once, at least 1.
        threshold: Instead of the model's own: one number, one per attribute, or a
            mapping from attribute names (those not named keep their own).
        texts: Statements about a person that are scored, too.

    Raises:
        ValueError: The batch size is below 1, or the thresholds do not fit the schema.
    """

    def __init__(
        self,
        card: ModelCard,
        batch_size: int = 32,
        threshold: Threshold | None = None,
        texts: Sequence[str] = (),
    ) -> None:
        self.card = card
        self.texts = tuple(texts)
        self.batch_size = _require_batch_size(batch_size)
        self.rule = card.decision
        if threshold is not None:
            self.rule = _with_thresholds(card.decision, threshold)

    @property
    @abstractmethod
    def read(self) -> Read:
        """Reads an image; can be sent to another process.

        It raises ``OSError`` or ``ValueError`` for what cannot be read.
        """

    @abstractmethod
    def prepare(self, crop: np.ndarray) -> Any:
        """A crop, uint8, (H, W, 3), BGR, as one input of the model."""

    @abstractmethod
    def score(self, inputs: list[Any], keypoints: np.ndarray | None) -> np.ndarray:
        """Probabilities (B, A + T) of prepared crops: of attributes, then of texts.

        Those of attributes are calibrated.

        Args:
            inputs: B of them.
            keypoints: (B, 17, 3) in fractions of the crop, for a model that reads them.
        """

    def iterate(
        self,
        inputs: Any,
        boxes: Any = None,
        *,
        keypoints: Any = None,
        rgb: bool = False,
        abstain: bool = False,
        batch_size: int | None = None,
        annotate: Annotate | None = None,
    ) -> Iterator[PARResult]:
        """Results one at a time, in the order of the images and of their boxes.

        Images are read ahead of the model by a few batches at most, so that any number
        of them fits into memory. One that cannot be read becomes a result with an
        ``error``.

        Args:
            inputs: See :func:`mmpar.apis.image_inputs.iterate_images`.
            boxes: Persons to cut out, (N, 4) xyxy in pixels for a single image, else
                one such array per image. An image with none has no result.
            keypoints: (N, 17, 3) or (17, 3) likewise, for a model that reads them.
            rgb: Whether arrays and tensors are RGB, not BGR as in OpenMMLab.
            abstain: Whether to answer "not sure" where the model is, or the image is
                too poor.
            batch_size: Instead of the predictor's own.
            annotate: Given the readable persons of a batch and their results, returns
                these with more in them.

        Raises:
            FileNotFoundError: A folder holds no image, or a pattern fits no file.
            TypeError: An input is no image.
            ValueError: Boxes or keypoints do not fit the images, the model needs
                keypoints that were not given, or cannot abstain.
        """
        self.check_request(keypoints is not None, abstain)
        if batch_size is not None:
            _require_batch_size(batch_size)
        images = iterate_images(inputs, boxes, keypoints)
        return self._results(images, rgb, abstain, batch_size, annotate)

    def iterate_lists(
        self, lists: Sequence[Sequence[ImageInput]], *, abstain: bool = False
    ) -> Iterator[list[PARResult]]:
        """Results of one list of images after the other.

        No batch holds images of two lists, so that the results of a list do not depend
        on those before it. The images of the next are read meanwhile.

        Args:
            lists: Images with their persons.
            abstain: As for :meth:`iterate`.

        Raises:
            ValueError: The model needs keypoints, or cannot abstain.
        """
        images = [image for some in lists for image in some]
        self.check_request(all(one.keypoints is not None for one in images), abstain)
        return self._results_of_lists(lists, images, abstain)

    def predict(
        self, inputs: Any, boxes: Any = None, **options: Any
    ) -> list[PARResult]:
        """All results of :meth:`iterate` as a list."""
        return list(self.iterate(inputs, boxes, **options))

    def check_request(self, has_keypoints: bool, abstain: bool) -> None:
        """Refuse what the model cannot do, before an image is read.

        Raises:
            ValueError: It needs keypoints, or cannot abstain.
        """
        if self.card.needs_keypoints and not has_keypoints:
            raise ValueError(
                f"the model {self.card.name} reads body keypoints; give keypoints=, "
                "(17, 3) for each person: COCO's 17 with x, y in pixels and visibility"
            )
        if abstain and self.rule.conformal is None:
            raise ValueError(
                f"the model {self.card.name} cannot say that it is not sure: no "
                "conformal sets were fitted. Fit them with "
                "tools/analysis_tools/calibrate.py"
            )

    def _results_of_lists(
        self,
        lists: Iterable[Sequence[ImageInput]],
        images: Iterable[ImageInput],
        abstain: bool,
    ) -> Iterator[list[PARResult]]:
        persons = self._read_ahead(images, rgb=False, measure=abstain)
        with contextlib.closing(persons):
            for some in lists:
                own = islice(persons, sum(image.num_persons for image in some))
                results: list[PARResult] = []
                while batch := list(islice(own, self.batch_size)):
                    results += self._answer(batch, False, abstain, None)
                yield results

    def _results(
        self,
        images: Iterable[ImageInput],
        rgb: bool,
        abstain: bool,
        batch_size: int | None,
        annotate: Annotate | None,
    ) -> Iterator[PARResult]:
        persons = self._read_ahead(images, rgb, abstain)
        with contextlib.closing(persons):  # also when the caller stops early
            while batch := list(islice(persons, batch_size or self.batch_size)):
                yield from self._answer(batch, rgb, abstain, annotate)

    def _read_ahead(
        self, images: Iterable[ImageInput], rgb: bool, measure: bool
    ) -> Generator[Person, None, None]:
        """Persons in order, read by threads that keep a bounded way ahead."""
        ahead = 2 * max(self.batch_size, WORKERS)
        pending: deque[Future[list[Person]]] = deque()
        with ThreadPoolExecutor(WORKERS, "read-image") as pool:
            try:
                for image in images:
                    pending.append(pool.submit(self._load, image, rgb, measure))
                    if len(pending) > ahead:
                        yield from pending.popleft().result()
                while pending:
                    yield from pending.popleft().result()
            finally:
                for future in pending:
                    future.cancel()

    def _load(self, image: ImageInput, rgb: bool, measure: bool) -> list[Person]:
        """The persons of an image, prepared."""
        boxes = [None] if image.boxes is None else [*map(_as_box, image.boxes)]
        persons = [Person(image, box) for box in boxes]
        try:
            pixels = load_pixels(image.image, self.read, rgb)
        except Exception as error:  # each decoder raises types of its own
            for person in persons:
                person.error = _said(error)
            return persons
        for index, person in enumerate(persons):
            try:
                self._cut(person, index, pixels, measure)
            except (ValueError, OSError) as error:
                person.error = _said(error)
        return persons

    def _cut(
        self, person: Person, index: int, pixels: np.ndarray, measure: bool
    ) -> None:
        crop, origin = pixels, np.zeros(2)
        if person.box is not None:
            crop = crop_box(pixels, person.box, _name(person.image.image))
            origin = np.floor(person.box[:2]).clip(min=0)  # as crop_box cuts
        height, width = crop.shape[:2]
        person.size = (width, height)
        if person.image.keypoints is not None:
            points = person.image.keypoints[index] - (*origin, 0)
            person.keypoints = points / (width, height, 1)
        if measure:
            person.quality = measure_image_quality(crop)
        person.prepared = self.prepare(crop)

    def _answer(
        self, batch: list[Person], rgb: bool, abstain: bool, annotate: Annotate | None
    ) -> Iterator[PARResult]:
        """Results of a batch in its order, those with an error among them."""
        readable, scores = self._score_readable(batch)
        answered: list[PARResult] = []
        if readable:
            found = self._found(scores, readable, abstain)
            answered = [
                PARResult(**self._source(person, rgb), **fields)
                for person, fields in zip(readable, found)
            ]
            answered = annotate(readable, answered) if annotate else answered
        remaining = iter(answered)
        for person in batch:
            if person.error is None:
                yield next(remaining)
            else:
                yield PARResult(**self._source(person, rgb), error=person.error)

    def _score_readable(self, batch: list[Person]) -> tuple[list[Person], np.ndarray]:
        """Persons that the model can score, and their scores (B, A)."""
        readable = [person for person in batch if person.error is None]
        if not readable:
            return [], np.empty((0, len(self.card.schema)))
        inputs = [person.prepared for person in readable]
        scores = self.score(inputs, stack_keypoints(readable))
        finite = np.isfinite(scores).all(axis=1)
        for person in compress(readable, ~finite):
            person.error = NOT_FINITE
        return [*compress(readable, finite)], scores[finite]

    def _source(self, person: Person, rgb: bool) -> dict[str, Any]:
        image, box = person.image, person.box
        load_image = partial(load_crop, image.image, box, rgb, self.read)
        return dict(img_path=image.img_path, box=box, load_image=load_image)

    def _found(
        self, scores: np.ndarray, persons: list[Person], abstain: bool
    ) -> Iterator[dict[str, Any]]:
        """What the model says of each person of a batch."""
        names = self.card.schema.names
        scores, of_texts = np.split(scores, [len(names)], axis=1)
        answers = self.rule.answers(scores) if abstain else [None] * len(persons)
        decided = (scores.tolist(), self.rule.decide(scores), self.rule.groups(scores))
        rows = zip(persons, *decided, answers, of_texts.tolist())
        for person, row, yes, groups, sure, said in rows:
            fields: dict[str, Any] = dict(
                scores=dict(zip(names, row)),
                texts=dict(zip(self.texts, said)),
                present=tuple(compress(names, yes)),
                groups={name: GroupAnswer(**group) for name, group in groups.items()},
            )
            if sure is not None and person.quality is not None:
                fields.update(_answered(sure, person.quality))
            yield fields


def _answered(answers: dict[str, str], quality: ImageQuality) -> dict[str, Any]:
    """Yes, no or "not sure", and why: a poor image leaves nothing sure."""
    reason = "; ".join(quality.problems)
    if reason:
        answers = dict.fromkeys(answers, NOT_SURE)
    unsure = [name for name, answer in answers.items() if answer == NOT_SURE]
    reasons = dict.fromkeys(unsure, reason or UNCERTAIN)
    return dict(answers=answers, reasons=reasons, quality=vars(quality).copy())


def stack_keypoints(persons: list[Person]) -> np.ndarray | None:
    """Keypoints of a batch, (B, 17, 3), or None if there are none."""
    points = [one.keypoints for one in persons if one.keypoints is not None]
    return np.stack(points) if points else None


def load_crop(image: Pixels, box: Box | None, rgb: bool, read: Read) -> np.ndarray:
    """The crop of a result as it was looked at, uint8, (H, W, 3), RGB."""
    pixels = load_pixels(image, read, rgb)
    if box is not None:
        pixels = crop_box(pixels, box, _name(image))
    return np.ascontiguousarray(pixels[..., ::-1])


def _name(image: Pixels) -> str:
    return image if isinstance(image, str) else "the image"


def _require_batch_size(size: int) -> int:
    if size < 1:
        raise ValueError(f"batch_size is {size}; it must be at least 1")
    return size


def _as_box(row: np.ndarray) -> Box:
    x1, y1, x2, y2 = row.tolist()
    return x1, y1, x2, y2


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__


def _with_thresholds(rule: DecisionRule, threshold: Threshold) -> DecisionRule:
    if isinstance(threshold, Mapping):
        names = rule.schema.names
        threshold = {**dict(zip(names, rule.thresholds)), **threshold}
    return replace(rule, thresholds=build_thresholds(threshold, rule.schema))
