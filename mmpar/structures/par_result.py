"""The answer for one person crop, the same from torch and from ONNX Runtime."""

from __future__ import annotations

import io
import json
import os.path as osp
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

import numpy as np
from PIL import Image, ImageDraw

from mmpar.structures.decision import NOT_SURE
from mmpar.utils.atomic import write_atomically

_HEIGHT, _WIDTH, _FONT_SIZE, _BAR = 256, 512, 12, 80
_PRESENT, _ABSENT, _UNSURE, _BOX = "#118033", "#999999", "#b35900", "#ff00ff"


@dataclass(frozen=True)
class GroupAnswer:
    """What was found of an exclusive set, such as ages or views.

    Attributes:
        best: The member whose score is the most above its threshold.
        score: Its score, in [0, 1].
        margin: By how much it leads the next in this; 0 is a tie.
        present: Whether it is among the attributes that are present.
    """

    best: str
    score: float
    margin: float
    present: bool


@dataclass(frozen=True)
class PARResult:
    """The attributes of one person.

    An image that could not be read has an ``error`` and no scores; everything else of
    it is empty.

    Attributes:
        scores: Attribute name to its probability, in [0, 1], in the schema's order.
        texts: Statement about the person that was asked for to its probability, in
            [0, 1].
        present: The attributes that the model says the person has: the score is above
            the threshold, and of an exclusive set at most one.
        groups: Exclusive set, by the name of its body-region group where it has one, to
            its best member.
        answers: Attribute name to ``'yes'``, ``'no'`` or ``'not sure'``, if the model
            was asked to abstain; else empty.
        reasons: Why it is not sure, by attribute name.
        quality: Measures of the image that bear on the answer, by name.
        img_path: The file, as it was given; None for an image in memory.
        box: The person's box in the image, xyxy in pixels; None for the whole image.
        boxes: Attribute name to where it was seen, xyxy in pixels of the crop.
        maps: Attribute name to a response map, (H, W) of the model's input, in [0, 1].
        error: Why there is no answer; None if there is one.

    >>> result = PARResult(scores={"Hat": 0.9, "Bag": 0.2}, present=("Hat",))
    >>> result
    PARResult(present: Hat 0.90; absent: 1 more)
    >>> result.to_labels()
    [{'label': 'Hat', 'score': 0.9}, {'label': 'Bag', 'score': 0.2}]
    """

    scores: Mapping[str, float] = field(default_factory=dict)
    present: tuple[str, ...] = ()
    texts: Mapping[str, float] = field(default_factory=dict)
    groups: Mapping[str, GroupAnswer] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    quality: Mapping[str, float] = field(default_factory=dict)
    img_path: str | None = None
    box: tuple[float, float, float, float] | None = None
    boxes: Mapping[str, tuple[float, float, float, float]] = field(default_factory=dict)
    maps: Mapping[str, np.ndarray] = field(default_factory=dict)
    error: str | None = None
    load_image: Callable[[], np.ndarray] | None = field(
        default=None, compare=False, repr=False
    )

    @property
    def image(self) -> np.ndarray:
        """The crop that was looked at, uint8, (H, W, 3), RGB; a file is read again.

        Raises:
            ValueError: It was not kept, or cannot be read.
        """
        if self.load_image is None:
            raise ValueError(
                f"the image of {self._name} is not kept in this result; read it from "
                "its file"
            )
        return self.load_image()

    @property
    def _name(self) -> str:
        return self.img_path or "an image in memory"

    def to_dict(self) -> dict[str, Any]:
        """Plain containers only, fit for JSON; response maps are left out."""
        groups = {name: vars(group).copy() for name, group in self.groups.items()}
        return dict(
            img_path=self.img_path,
            box=None if self.box is None else list(self.box),
            error=self.error,
            present=list(self.present),
            scores=dict(self.scores),
            texts=dict(self.texts),
            groups=groups,
            answers=dict(self.answers),
            reasons=dict(self.reasons),
            quality=dict(self.quality),
            boxes={name: list(box) for name, box in self.boxes.items()},
        )

    def to_json(self) -> str:
        """:meth:`to_dict` as one line of JSON.

        A file name whose bytes are not UTF-8 keeps them as escapes (``\\udcff``).
        """
        return json_text(self.to_dict())

    def to_labels(self) -> list[dict[str, Any]]:
        """Labels by falling score, as the pipelines of Hugging Face give them."""
        ranked = sorted(self.scores.items(), key=lambda item: -item[1])
        return [dict(label=name, score=score) for name, score in ranked]

    def __repr__(self) -> str:
        where = f"{osp.basename(self.img_path)}, " if self.img_path else ""
        if self.error is not None:
            return f"PARResult({where}error: {self.error})"
        unsure = [name for name, answer in self.answers.items() if answer == NOT_SURE]
        found = [
            f"{name} {self.scores[name]:.2f}"
            for name in self.present
            if name not in unsure
        ]
        rest = len(self.scores) - len({*self.present, *unsure})
        parts = [f"present: {', '.join(found) or 'nothing'}"]
        parts += [f"not sure: {', '.join(unsure)}"] if unsure else []
        parts += [f"absent: {rest} more"]
        parts += [f"{text!r} {score:.2f}" for text, score in self.texts.items()]
        return f"PARResult({where}{'; '.join(parts)})"

    def plot(self) -> Image.Image:
        """The crop, its boxes, and a bar per attribute; for maps see ``explain``.

        Raises:
            ValueError: There is no answer, or the image cannot be read again.
        """
        if self.error is not None:
            raise ValueError(f"{self._name} has no answer to draw: {self.error}")
        crop, chart = Image.fromarray(self.image), self._chart()
        height = min(max(_HEIGHT, chart.height), 2 * _HEIGHT)
        scale = min(height / crop.height, _WIDTH / crop.width)
        width, height = (max(1, round(side * scale)) for side in crop.size)
        crop = crop.resize((width, height))
        draw = ImageDraw.Draw(crop)
        for box in self.boxes.values():
            draw.rectangle([side * scale for side in box], outline=_BOX, width=2)
        drawn = Image.new(
            "RGB",
            (crop.width + chart.width + 12, max(crop.height, chart.height)),
            "white",
        )
        drawn.paste(crop, (0, 0))
        drawn.paste(chart, (crop.width + 12, 0))
        return drawn

    def save(self, path: str | Path) -> None:
        """Write :meth:`plot` to an image file; its ending says which kind.

        Raises:
            ValueError: There is no answer, or no kind of image has this ending.
        """
        kind = image_kind(path)
        if kind is None:
            raise ValueError(f"no kind of image file ends like {path}; write .png")
        write_atomically(path, encode_image(self.plot(), kind))

    def _chart(self) -> Image.Image:
        from mmpar.utils.fonts import TextFont  # takes a moment, for matplotlib

        scores = {**self.scores, **self.texts}
        lines = [f"{name} {score:.2f}" for name, score in scores.items()]
        font = TextFont(lines, _FONT_SIZE)
        left = int(max(map(font.length, lines))) + 8
        chart = Image.new("RGB", (left + _BAR, font.line_height * len(lines)), "white")
        draw = ImageDraw.Draw(chart)
        for row, (line, (name, score)) in enumerate(zip(lines, scores.items())):
            color = _PRESENT if name in self.present else _ABSENT
            color = _UNSURE if self.answers.get(name) == NOT_SURE else color
            top = row * font.line_height
            font.draw(draw, 0, top, line, color)
            right = left + round(score * (_BAR - 1))
            draw.rectangle((left, top + 4, right, top + font.line_height - 4), color)
        return chart


def json_text(data: dict[str, Any]) -> str:
    """One line of JSON in UTF-8, in which other bytes of file names are escapes."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace").decode()


def image_kind(path: str | Path) -> str | None:
    """The format that Pillow writes to a file of this ending; None if there is none."""
    kind = Image.registered_extensions().get(Path(path).suffix.lower())
    return kind if kind in Image.SAVE else None


def encode_image(image: Image.Image, kind: str = "PNG") -> bytes:
    """The content of an image file."""
    with io.BytesIO() as content:
        image.save(content, kind)
        return content.getvalue()
