"""Any number of images to one file of answers, which a killed run continues.

The images are cut into chunks, and the rows of a chunk are written at once, to a file
of its own in the folder ``OUT.parts``. What is there need not be done again; when all
chunks are, the files are joined. As no batch crosses the border of a chunk, the numbers
do not depend on where a run was killed, nor on which machine did which chunk.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from mmpar.apis.image_inputs import ImageInput, iterate_images
from mmpar.apis.prediction_files import (
    Write,
    answer_columns,
    line_of,
    read_lines,
    writer_of,
)
from mmpar.apis.predictor import Predictor
from mmpar.structures.par_result import PARResult
from mmpar.structures.thresholds import Threshold
from mmpar.utils.atomic import atomic_path, write_atomically
from mmpar.version import __version__

CHUNK = 256
"""Images whose rows are written at once."""

_JOB = "job.json"
_STEM = 40
"""Letters of an image's name in that of its overlay."""


@dataclass(frozen=True)
class PredictorSettings:
    """What a predictor is made of, here or on another machine.

    Attributes are the arguments of :class:`mmpar.apis.PARInferencer`.
    """

    model: str
    device: str | None = None
    batch_size: int = 32
    threshold: Threshold | None = None
    precision: str = "fp32"
    texts: tuple[str, ...] = ()

    def open(self) -> Predictor:
        """Load the model."""
        from mmpar.apis.inferencer import PARInferencer  # torch takes seconds

        return PARInferencer(
            self.model,
            self.device,
            self.batch_size,
            self.threshold,
            precision=self.precision,
            texts=self.texts,
        ).predictor


@dataclass(frozen=True)
class Chunk:
    """Some of the images, and the ids of the persons in them.

    Attributes:
        number: Its place among the chunks.
        first: The place of its first image among all images.
        images: With their persons.
        ids: Of all persons, image by image.
    """

    number: int
    first: int
    images: list[ImageInput]
    ids: list[int | None]


@dataclass(frozen=True)
class Answers:
    """What is wanted of a predictor, and where it goes.

    Attributes:
        parts: Folder of the files of chunks.
        abstain: Whether to answer "not sure".
        overlays: Folder for a drawing of each answer, None for none.
    """

    parts: Path
    abstain: bool = False
    overlays: Path | None = None

    def part(self, chunk: Chunk) -> Path:
        """The file of a chunk's rows."""
        return self.parts / f"{chunk.number:06}.jsonl"

    def write(self, predictor: Predictor, chunks: Sequence[Chunk]) -> Iterator[Chunk]:
        """Answer and write one chunk after the other; gives each when it is done."""
        images = [chunk.images for chunk in chunks]
        answered = predictor.iterate_lists(images, abstain=self.abstain)
        if self.overlays is not None:
            _delete_torn_overlays(self.overlays, chunks)
        for chunk, results in zip(chunks, answered):
            if self.overlays is not None:
                _draw(self.overlays, chunk, results)
            lines = map(line_of, results, chunk.ids)
            write_atomically(self.part(chunk), b"".join(lines))
            yield chunk


@dataclass(frozen=True)
class Summary:
    """What a file of answers holds.

    Attributes:
        images: Images that were given.
        persons: Rows with an answer.
        errors: Rows with a reason why there is none.
        images_now: Images that this run answered, and none before it.
        seconds: How long it took.
    """

    images: int
    persons: int
    errors: int
    images_now: int
    seconds: float

    def __str__(self) -> str:
        before = self.images - self.images_now
        return (
            f"{self.images} images{f' ({before} done before)' if before else ''}, "
            f"{self.persons} persons, {self.errors} errors, "
            f"{self.images_now / max(self.seconds, 1e-9):.1f} images/s"
        )


Run = Callable[[PredictorSettings, Answers, Sequence[Chunk]], Iterable[Chunk]]
"""Has chunks answered and written, gives each when it is done."""


def predict_to_file(
    settings: PredictorSettings,
    sources: Iterable[Any],
    out: str | Path,
    *,
    boxes: str | None = None,
    abstain: bool = False,
    overlays: str | Path | None = None,
    shard: tuple[int, int] = (1, 1),
    overwrite: bool = False,
    run: Run | None = None,
) -> Summary:
    """Answer all images and write one file.

    Killed at any moment and called again with the same arguments, it goes on where it
    was, and the file is the same to the byte as that of a single run.

    Args:
        settings: The model and how it runs.
        sources: Images, folders, patterns; see :func:`iterate_images`.
        out: File to write, ``.jsonl``, ``.csv`` or ``.parquet``.
        boxes: MOT (``.txt``) or COCO (``.json``) file of the persons in the images.
        abstain: Whether to answer "not sure".
        overlays: Folder for a drawing of each answer.
        shard: (i, n): only the i-th of n parts of the images, i from 1 on.
        overwrite: Whether ``out`` may exist.
        run: What has the chunks answered elsewhere; by default this process answers.

    Raises:
        FileExistsError: ``out`` exists, or another run is writing it.
        FileNotFoundError: A source or the file of boxes does not.
        ModuleNotFoundError: The kind of file needs a library that is not installed.
        ValueError: No such kind of file, or what is in ``out.parts`` was begun with
            other arguments.
    """
    out = Path(out)
    write = writer_of(out)
    parts = out.with_name(f"{out.name}.parts")
    answers = Answers(parts, abstain, None if overlays is None else Path(overlays))
    if not parts.exists():
        _refuse_existing(out, overwrite)
    chunks = cut(*list_images(sources, boxes), shard)
    # A machine that has others answer needs no more of the model than its card.
    predictor = (replace(settings, device="cpu") if run else settings).open()
    predictor.check_request(has_keypoints=False, abstain=abstain)
    job = _job(settings, predictor, answers, chunks, shard)
    with _locked(parts):
        summary = _begin(parts / _JOB, job)
        if summary is None:
            todo = [chunk for chunk in chunks if not answers.part(chunk).exists()]
            if todo:
                _refuse_existing(out, overwrite)
            start = time.perf_counter()
            done = (
                run(settings, answers, todo) if run else answers.write(predictor, todo)
            )
            images_now = _follow(done, todo)
            seconds = time.perf_counter() - start
            files = [answers.part(chunk) for chunk in chunks]
            names = predictor.card.schema.names
            columns = answer_columns(names, abstain, settings.texts)
            _join(write, files, parts / "whole", columns)
            summary = _summarize(chunks, files, images_now, seconds)
            note = json.dumps({**job, "summary": asdict(summary)})
            write_atomically(parts / _JOB, note)
        _put_in_place(parts, out)
    return summary


# --- what to answer -------------------------------------------------------------------


def list_images(
    sources: Iterable[Any], boxes: str | None = None
) -> tuple[list[ImageInput], list[list[int | None]]]:
    """All images with their persons, and the ids of these."""
    images = list(iterate_images(sources))
    if boxes is None:
        return images, [[None] for _ in images]
    from mmpar.datasets.formats.coco import read_coco_persons  # MMEngine takes seconds
    from mmpar.datasets.formats.mot import read_mot_boxes

    readers = {".json": read_coco_persons, ".txt": read_mot_boxes}
    ending = Path(boxes).suffix.lower()
    if ending not in readers:
        raise ValueError(
            f"{boxes}: boxes are read from COCO's .json or MOTChallenge's .txt"
        )
    paths = [str(image.image) for image in images]
    found = readers[ending](boxes, paths)
    for note in found.notes:
        print(note, file=sys.stderr)
    return [*map(ImageInput, paths, found.boxes)], found.ids


def cut(
    images: Sequence[ImageInput],
    ids: Sequence[list[int | None]],
    shard: tuple[int, int] = (1, 1),
) -> list[Chunk]:
    """The chunks of a shard; they are the same however many shards there are.

    Raises:
        ValueError: There is no such shard.
    """
    number, count = shard
    if not 1 <= number <= count:
        raise ValueError(
            f"there is no shard {number}/{count}: they are 1/{count} to {count}/{count}"
        )
    starts = range(0, len(images), CHUNK)
    own = starts[(number - 1) * len(starts) // count : number * len(starts) // count]
    return [
        Chunk(
            start // CHUNK,
            start,
            list(images[start : start + CHUNK]),
            [key for keys in ids[start : start + CHUNK] for key in keys],
        )
        for start in own
    ]


def _job(
    settings: PredictorSettings,
    predictor: Predictor,
    answers: Answers,
    chunks: Sequence[Chunk],
    shard: tuple[int, int],
) -> dict[str, Any]:
    """All that the rows depend on, as plain data."""
    inputs = hashlib.sha256()
    for chunk in chunks:
        for image in chunk.images:
            boxes = b"" if image.boxes is None else image.boxes.tobytes()
            inputs.update(os.fsencode(str(image.image)) + b"\0" + boxes + b"\0")
        inputs.update(repr(chunk.ids).encode())
    return dict(
        mmpar=__version__,
        model_sha256=_model_sha256(settings.model, predictor),
        device=str(settings.device or getattr(predictor, "device", "cpu")),
        precision=settings.precision,
        batch_size=settings.batch_size,
        thresholds=list(predictor.rule.thresholds),
        texts=list(settings.texts),
        abstain=answers.abstain,
        overlays=None if answers.overlays is None else str(answers.overlays),
        shard=list(shard),
        chunk=CHUNK,
        images=sum(len(chunk.images) for chunk in chunks),
        inputs_sha256=inputs.hexdigest(),
    )


def _model_sha256(model: str, predictor: Predictor) -> str:
    """Of its file; of its card, which has the weights' own, if it is a folder."""
    digest = hashlib.sha256(predictor.card.to_json().encode())
    if os.path.isfile(model):
        with open(model, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


# --- the folder of what is done -------------------------------------------------------


def _refuse_existing(out: Path, overwrite: bool) -> None:
    if out.is_dir() or (out.exists() and not overwrite):
        raise FileExistsError(
            f"{out} exists; choose another --out, delete it, or give --overwrite"
        )


@contextlib.contextmanager
def _locked(parts: Path) -> Iterator[None]:
    """Keep a second run out of the folder; the lock ends with this process.

    Raises:
        FileExistsError: Another run is at work there.
    """
    parts.mkdir(parents=True, exist_ok=True)
    with (parts / "lock").open("w") as file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FileExistsError(
                f"another run is writing to {parts}; wait for it, or choose another "
                "--out"
            ) from None
        except (ImportError, OSError) as error:
            print(
                f"{parts} cannot be locked ({error}); do not start a second run with "
                "this --out",
                file=sys.stderr,
            )
        yield


def _begin(file: Path, job: dict[str, Any]) -> Summary | None:
    """Note what is about to be done; the summary if all of it was.

    Raises:
        ValueError: Something else was begun here.
    """
    remedy = (
        f"delete {file.parent} to begin anew, give what it was begun with, or choose "
        "another --out"
    )
    begun = _read_begun(file, remedy) if file.exists() else {}
    summary = begun.pop("summary", None)
    if summary is None and not any(file.parent.glob("*.jsonl")):
        write_atomically(file, json.dumps(job))
        return None
    if not begun:
        raise ValueError(f"{file.parent} has answers, but no {_JOB}; {remedy}")
    changed = [
        f"{name} {begun.get(name)!r}, now {value!r}"
        for name, value in job.items()
        if begun.get(name) != value
    ]
    if changed:
        raise ValueError(
            f"{file.parent} was begun with {'; '.join(changed)} (inputs_sha256 stands "
            f"for the names of the images, their order and their boxes); {remedy}"
        )
    return summary and Summary(**{**summary, "images_now": 0})


def _read_begun(file: Path, remedy: str) -> dict[str, Any]:
    try:
        begun = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is damaged ({error}); {remedy}") from error
    names = {field.name for field in fields(Summary)}
    summary = begun.get("summary") if isinstance(begun, dict) else ()
    if summary is not None and not (isinstance(summary, dict) and {*summary} == names):
        raise ValueError(f"{file} is not a note of what was begun here; {remedy}")
    return dict(begun)


def _follow(done: Iterable[Chunk], todo: Sequence[Chunk]) -> int:
    """Wait until all is done, with a progress bar; gives the number of images."""
    console = Console(stderr=True)
    total = sum(len(chunk.images) for chunk in todo)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("images", total=total)
        for chunk in done:
            progress.advance(task, len(chunk.images))
    return total


def _join(write: Write, files: Sequence[Path], whole: Path, columns: Any) -> None:
    missing = [file for file in files if not file.exists()]
    if missing:
        raise FileNotFoundError(
            f"{len(missing)} of {len(files)} chunks were answered, but are not there, "
            f"such as {missing[0]}; --out has to be on a disk that all machines share"
        )
    with atomic_path(whole) as file:
        write(files, file, columns)


def _summarize(
    chunks: Sequence[Chunk], files: Sequence[Path], images_now: int, seconds: float
) -> Summary:
    images = sum(len(chunk.images) for chunk in chunks)
    persons = errors = 0
    for file in files:
        rows = read_lines(file)
        failed = sum(row["error"] is not None for row in rows)
        persons, errors = persons + len(rows) - failed, errors + failed
    return Summary(images, persons, errors, images_now, seconds)


def _put_in_place(parts: Path, out: Path) -> None:
    """Move the whole to its name and delete the rest, the note of the job last."""
    whole = parts / "whole"
    if whole.exists():
        os.replace(whole, out)
    for file in parts.iterdir():
        if file.name != _JOB:
            file.unlink()
    (parts / _JOB).unlink()
    parts.rmdir()


# --- drawings -------------------------------------------------------------------------


def _overlay_names(chunk: Chunk) -> Iterator[str]:
    """One for each person, in order."""
    for place, image in enumerate(chunk.images, chunk.first):
        stem = Path(str(image.image)).stem[:_STEM]
        for person in range(image.num_persons):
            number = f"{place:07}" if image.boxes is None else f"{place:07}-{person:03}"
            yield f"{number}_{stem}.png"


def _draw(folder: Path, chunk: Chunk, results: Sequence[PARResult]) -> None:
    for name, result in zip(_overlay_names(chunk), results):
        if result.error is None:
            result.save(folder / name)


def _delete_torn_overlays(folder: Path, chunks: Sequence[Chunk]) -> None:
    """Delete what a killed run left of its drawings."""
    own = {name for chunk in chunks for name in _overlay_names(chunk)}
    for path in folder.glob(".*.part"):
        if path.name[1:].rsplit(".", 2)[0] in own:
            path.unlink()
