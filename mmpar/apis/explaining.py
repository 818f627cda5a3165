"""Explained images as files: one image, a folder of them, or one page for many."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import mmpar.registry  # noqa: F401  checks the installation before MMEngine is imported

# isort: split
import cv2
import jinja2
import numpy as np
import torch
from mmpretrain.structures import DataSample
from PIL import Image

from mmpar.apis.inferencer import PARInferencer
from mmpar.structures import AttributeSchema
from mmpar.structures.par_result import PARResult, encode_image, image_kind
from mmpar.utils.atomic import write_atomically
from mmpar.visualization import PARVisualizer

_PAGE = """\
<!doctype html><meta charset=utf-8><title>{{ title }}</title>
<style>body{font:15px system-ui;margin:2em}img{display:block;margin:.5em 0 2em}
.error{color:#b00}</style>
<h1>{{ title }}</h1>
<p>{{ persons | length }} persons. Maps show where an attribute was read, from blue
(not at all) to red (most); the magenta box holds the response.</p>
{% for name, picture, result in persons %}
<h2>{{ name }}</h2>
{% if result.error %}<p class=error>{{ result.error }}</p>
{% else %}<p>{{ result.present | join(", ") or "no attribute present" }}</p>
<img src="data:image/png;base64,{{ picture }}">{% endif %}
{% endfor %}
"""


def explain_to_files(
    inferencer: PARInferencer,
    inputs: Any,
    out: str | Path,
    attributes: Sequence[str] | None = None,
    **options: Any,
) -> tuple[int, int]:
    """Write explained images.

    Args:
        inferencer: With a model in torch.
        inputs: See :meth:`PARInferencer.iterate`.
        out: An image file (``.png``, ``.jpg``) for a single person; ``.html`` for one
            page that needs no other file; else a folder, which gets a PNG per person,
            named after its image.
        attributes: Names of those to explain; None for those present in each image.
        **options: As for :meth:`PARInferencer.explain`.

    Returns:
        How many persons were drawn, and how many could not be read.

    Raises:
        ValueError: The model cannot be explained or lacks an attribute; or one image
            file is to hold several persons, or one that cannot be read.
    """
    results = inferencer.explain(inputs, attributes, **options)
    out, schema = Path(out), inferencer.card.schema
    kind = image_kind(out)
    if out.suffix.lower() in (".html", ".htm"):
        return _write_page(out, results, schema, attributes)
    if kind is not None:
        return _write_one(out, kind, list(results), schema, attributes)
    return _write_folder(out, results, schema, attributes)


def draw_explanation(
    result: PARResult, schema: AttributeSchema, attributes: Sequence[str] | None = None
) -> np.ndarray:
    """The crop, its attributes, and a panel with map and box per explained attribute.

    Args:
        result: One with maps or boxes.
        schema: The model's.
        attributes: Names of the attributes that get a panel; None for those present.

    Returns:
        uint8, (H, W, 3), RGB.
    """
    image = result.image
    height, width = image.shape[:2]
    sample = DataSample(img_path=result.img_path or "image")
    scores = [result.scores[name] for name in schema.names]
    sample.set_pred_score(torch.tensor(scores))
    present = [schema.index(name) for name in result.present]
    sample.set_pred_label(torch.tensor(present, dtype=torch.long))
    boxes = np.full((len(schema), 4), np.nan, np.float32)
    maps = np.zeros((len(schema), height, width), np.float32)
    for name, box in result.boxes.items():
        boxes[schema.index(name)] = box
    for name, response in result.maps.items():
        maps[schema.index(name)] = cv2.resize(response, (width, height))
    sample.set_field(boxes, "pred_attribute_boxes")
    if result.maps:
        sample.set_field(maps, "pred_attribute_maps")
    visualizer = PARVisualizer()
    visualizer.dataset_meta = dict(schema=schema.to_dict())
    panels = [schema.index(name) for name in attributes or result.present]
    drawn: np.ndarray = visualizer.add_datasample(
        "image", image, sample, attributes=panels
    )
    return drawn


def _write_one(
    out: Path,
    kind: str,
    results: list[PARResult],
    schema: AttributeSchema,
    attributes: Sequence[str] | None,
) -> tuple[int, int]:
    if len(results) != 1:
        raise ValueError(
            f"{out} holds one person, but there are {len(results)}; name a folder or "
            "an .html page"
        )
    if results[0].error is not None:
        raise ValueError(results[0].error)
    drawn = Image.fromarray(draw_explanation(results[0], schema, attributes))
    write_atomically(out, encode_image(drawn, kind))
    return 1, 0


def _write_folder(
    out: Path,
    results: Iterable[PARResult],
    schema: AttributeSchema,
    attributes: Sequence[str] | None,
) -> tuple[int, int]:
    drawn = failed = 0
    for number, result in enumerate(results):
        if result.error is not None:
            print(f"not drawn: {result.error}")
            failed += 1
            continue
        stem = Path(result.img_path).stem if result.img_path else "image"
        image = Image.fromarray(draw_explanation(result, schema, attributes))
        write_atomically(out / f"{number:05}_{stem}.png", encode_image(image))
        drawn += 1
    return drawn, failed


def _write_page(
    out: Path,
    results: Iterable[PARResult],
    schema: AttributeSchema,
    attributes: Sequence[str] | None,
) -> tuple[int, int]:
    persons = []
    for result in results:
        picture = ""
        if result.error is None:
            image = Image.fromarray(draw_explanation(result, schema, attributes))
            picture = base64.b64encode(encode_image(image)).decode()
        persons.append((result.img_path or "an image in memory", picture, result))
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    page = environment.from_string(_PAGE).render(
        title="Where attributes were read", persons=persons
    )
    write_atomically(out, page.encode("utf-8", "backslashreplace"))
    failed = sum(result.error is not None for _, _, result in persons)
    return len(persons) - failed, failed
