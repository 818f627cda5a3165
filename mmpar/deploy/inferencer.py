"""Answers from an exported model where torch is not installed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mmpar.apis.image_inputs import Read
from mmpar.apis.predictor import Predictor
from mmpar.deploy.preprocessing import (
    check_supported,
    normalize,
    read_image,
    resize_image,
)
from mmpar.structures.model_card import ModelCard
from mmpar.structures.par_result import PARResult
from mmpar.structures.thresholds import Threshold
from mmpar.utils.onnx_session import OnnxSession

IMAGES, KEYPOINTS, SCORES = "images", "keypoints", "scores"
"""Inputs and output of an exported model."""
CARD = "mmpar"
"""Key of the card in the metadata of an ONNX file."""
_DIGEST = b"mmpar_sha256"
"""Key of the digest there, which comes last and is of all bytes before it."""
_DIGEST_BYTES = 82  # of its entry


class OnnxPARInferencer(Predictor):
    """Runs a model that :func:`mmpar.deploy.export_onnx` wrote.

    Needs NumPy, Pillow and ONNX Runtime, and imports none of torch, MMEngine, mmcv and
    OpenCV. Images are prepared as in training, bit for bit, and everything else about
    the model is in the file.

    >>> from mmpar.deploy import OnnxPARInferencer
    >>> inferencer = OnnxPARInferencer("model.onnx")  # doctest: +SKIP
    >>> inferencer("person.jpg")  # doctest: +SKIP
    [PARResult(person.jpg, present: Female 0.98, Hat 0.91; absent: 24 more)]

    Args:
        file: The exported model.
        batch_size: As for :class:`mmpar.apis.predictor.Predictor`.
        threshold: As for :class:`mmpar.apis.predictor.Predictor`.
        providers: Execution providers of ONNX Runtime, in order of preference.
        num_threads: Of ONNX Runtime within an operator; 0 leaves it to ONNX Runtime.

    Raises:
        FileNotFoundError: There is no such file.
        ImportError: ONNX Runtime is not installed.
        ValueError: The file is no ONNX model, or none of mmpar's; it was changed or is
            damaged, or its card does not fit the graph.
    """

    def __init__(
        self,
        file: str | Path,
        batch_size: int = 32,
        threshold: Threshold | None = None,
        *,
        providers: Sequence[Any] = ("CPUExecutionProvider",),
        num_threads: int = 0,
    ) -> None:
        if not Path(file).is_file():
            raise FileNotFoundError(f"there is no exported model {file}")
        content = Path(file).read_bytes()
        unchanged = seal(content[:-_DIGEST_BYTES]) == content
        if not unchanged and _DIGEST in content[-_DIGEST_BYTES:]:
            raise _changed(file)  # before ONNX Runtime trusts what is in it
        self.session = OnnxSession(file, providers, num_threads)
        card = _read_card(self.session, str(file))
        if not unchanged:
            raise _changed(file)
        super().__init__(card, batch_size, threshold)
        self.takes_pixels = _check_graph(self.session, card, str(file))

    def __call__(
        self, inputs: Any, boxes: Any = None, **options: Any
    ) -> list[PARResult]:
        """One result per person, in the order of the images and of their boxes.

        Args:
            inputs: A path, a folder, a glob pattern, a NumPy array (BGR as in
                OpenMMLab), a PIL image, or any iterable of these.
            boxes: Persons to cut out, (N, 4) xyxy in pixels for a single image, else
                one such array per image.
            **options: See :meth:`mmpar.apis.predictor.Predictor.iterate`.
        """
        return self.predict(inputs, boxes, **options)

    @property
    def read(self) -> Read:
        """Reads local image files."""
        return partial(read_image, use_exif=self.card.preprocessing.use_exif)

    def prepare(self, crop: np.ndarray) -> np.ndarray:
        """The crop at the size of the input, uint8, (H, W, 3), BGR."""
        return resize_image(crop, self.card.preprocessing)

    def score(
        self, inputs: list[np.ndarray], keypoints: np.ndarray | None
    ) -> np.ndarray:
        """See :class:`mmpar.apis.predictor.Predictor`."""
        return self.score_array(np.stack(inputs), keypoints)

    def score_array(
        self, images: np.ndarray, keypoints: np.ndarray | None = None
    ) -> np.ndarray:
        """The same of crops in one array, uint8, (B, H, W, 3), BGR."""
        return np.asarray(self.session.run([SCORES], self.feed(images, keypoints))[0])

    def feed(
        self, images: np.ndarray, keypoints: np.ndarray | None
    ) -> dict[str, np.ndarray]:
        """What the graph gets for prepared crops, uint8, (B, H, W, 3), BGR."""
        if self.takes_pixels:
            feed = {IMAGES: np.ascontiguousarray(images[..., ::-1])}
        else:
            feed = {IMAGES: normalize(images, self.card.preprocessing)}
        if self.card.needs_keypoints:
            assert keypoints is not None  # iterate() makes sure
            feed[KEYPOINTS] = keypoints.astype(np.float32)
        return feed


def _read_card(session: OnnxSession, file: str) -> ModelCard:
    text = session.metadata.get(CARD)
    if text is None:
        raise ValueError(
            f"{file} has no metadata {CARD!r}, so it was not exported by mmpar: what "
            "its outputs mean is not known. Export the model with "
            "tools/deploy/export.py"
        )
    try:
        return ModelCard.from_json(text)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def seal(content: bytes) -> bytes:
    """An ONNX file with a digest of its bytes at its end, as a last metadata entry.

    In the protocol buffers that ONNX files are, what is appended is one more field.
    """
    digest = hashlib.sha256(content).hexdigest().encode()
    fields = ((b"\x0a", _DIGEST), (b"\x12", digest))  # key and value
    entry = b"".join(tag + bytes([len(text)]) + text for tag, text in fields)
    return content + b"\x72" + bytes([len(entry)]) + entry  # 14: metadata_props


def _changed(file: str | Path) -> ValueError:
    return ValueError(
        f"{file} was changed after its export or is damaged: its SHA-256 is not the "
        "one at its end. Copy it again, or export the model again"
    )


def _check_graph(session: OnnxSession, card: ModelCard, file: str) -> bool:
    """Refuse a graph that is not the card's; say whether it takes raw pixels."""
    check_supported(card.preprocessing)
    found = {
        value.name: (value.type, [*value.shape[1:]])
        for value in (*session.inputs, *session.outputs)
    }
    size = [card.preprocessing.height, card.preprocessing.width]
    pixels = found.get(IMAGES, ("",))[0] == "tensor(uint8)"
    shape = [*size, 3] if pixels else [3, *size]
    expected: dict[str, tuple[str, list[int]]] = {
        IMAGES: ("tensor(uint8)" if pixels else "tensor(float)", shape),
        SCORES: ("tensor(float)", [len(card.schema)]),
    }
    if card.needs_keypoints:
        expected[KEYPOINTS] = ("tensor(float)", [17, 3])
    if found != expected:
        raise ValueError(
            f"the graph of {file} has the inputs and outputs {found} (type, shape "
            f"without the batch), but its card describes {expected}: it was changed, "
            "export the model again"
        )
    return pixels
