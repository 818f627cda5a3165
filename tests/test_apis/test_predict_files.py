"""Many images to one file: each once, whatever it is and whenever the run stops."""

import csv
import json
import multiprocessing
import os
import random
import re
import shutil
import signal
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmpar.apis import predict_files
from mmpar.apis.image_inputs import ImageInput
from mmpar.apis.predict_files import PredictorSettings, cut, predict_to_file
from mmpar.datasets.transforms import LoadPersonImage
from mmpar.structures.decision import Conformal, DecisionRule
from tests.fixtures.odd_images import PIXELS, write_odd_images
from tests.test_apis.test_predictor import SCHEMA, Means, a_card

CHUNK = 8


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(predict_files, "CHUNK", CHUNK)


class ReadingMeans(Means):
    """Reads as the pipelines do."""

    @property
    def read(self):
        return partial(read_as_pipelines, LoadPersonImage())


class BatchSums(ReadingMeans):
    """Scores depend on the batch that an image is in, as with a real model's sums."""

    def score(self, inputs, keypoints):
        means = super().score(inputs, keypoints)
        return (means + means.mean(axis=0) + len(inputs)) / 99


def read_as_pipelines(loader, path):
    return loader.transform(dict(img_path=path))["img"]


class Settings(PredictorSettings):
    def open(self):
        conformal = Conformal(SCHEMA, 0.9, ((0.6, 0.6),) * 3)
        card = a_card(decision=DecisionRule(SCHEMA, conformal=conformal))
        return BatchSums(card, batch_size=self.batch_size, threshold=self.threshold)


SETTINGS = Settings("no file", batch_size=3)


def write_images(folder, count, start=0):
    folder.mkdir(exist_ok=True)
    for number in range(start, start + count):
        color = [number % 256, number // 256, 99]
        Image.fromarray(np.full((4, 3, 3), color, np.uint8)).save(
            folder / f"person_{number:04}.png"
        )
    return folder


def predict(sources, out, settings=SETTINGS, **options):
    return predict_to_file(settings, [str(sources)], out, **options)


def rows_of(out):
    return [json.loads(line) for line in out.read_bytes().splitlines()]


def files_below(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


# --- what is in the files -------------------------------------------------------------


def test_each_row_is_the_result_of_its_image(tmp_path):
    folder = write_images(tmp_path / "crops", 5)
    (folder / "person_0002.png").write_text("broken")
    summary = predict(folder, tmp_path / "out.jsonl", abstain=True)
    assert re.fullmatch(r"5 images, 4 persons, 1 errors, [\d.]+ images/s", str(summary))
    results = SETTINGS.open().predict(str(folder), abstain=True)
    expected = [{**result.to_dict(), "id": None} for result in results]
    assert rows_of(tmp_path / "out.jsonl") == expected
    assert "not a readable image" in expected[2]["error"]


def test_csv_and_parquet_hold_the_scores_and_decisions_of_the_lines(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    folder = write_images(tmp_path / "crops", 2 * CHUNK + 1)
    (folder / "person_0002.png").write_text("broken")
    for ending in ("jsonl", "csv", "parquet"):
        predict(folder, tmp_path / f"out.{ending}", abstain=True)
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        texts = list(csv.DictReader(file))
    typed = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    for text, row in zip(texts, typed):
        assert list(text) == list(row)
        for name, value in row.items():
            written = type(value)(text[name]) if value is not None else None
            assert written == value or (value is None and text[name] == "")
    for row, found in zip(rows_of(tmp_path / "out.jsonl"), typed):
        expected = dict(img_path=row["img_path"], error=row["error"])
        for name in ("width", "height", "sharpness"):
            expected[f"quality:{name}"] = row["quality"].get(name)
        for name in SCHEMA.names:
            scored = row["error"] is None
            expected[f"score:{name}"] = row["scores"].get(name)
            expected[f"decision:{name}"] = (
                int(name in row["present"]) if scored else None
            )
            expected[f"answer:{name}"] = row["answers"].get(name)
            expected[f"reason:{name}"] = row["reasons"].get(name)
        assert found == {**dict.fromkeys(("id", "x1", "y1", "x2", "y2")), **expected}


def test_rows_carry_box_and_track_of_the_persons_in_frames(tmp_path):
    frames = write_images(tmp_path / "img1", 3, start=1)
    (tmp_path / "gt.txt").write_text(
        "1,7,0,0,2,2,1,1,1\n3,7,1,1,2,2,1,1,1\n3,9,0,0,1,4\n"
    )
    summary = predict(frames, tmp_path / "a.jsonl", boxes=str(tmp_path / "gt.txt"))
    rows = rows_of(tmp_path / "a.jsonl")
    assert [
        (Path(row["img_path"]).stem[-1], row["id"], row["box"]) for row in rows
    ] == [
        ("1", 7, [0, 0, 2, 2]),
        ("3", 7, [1, 1, 3, 3]),
        ("3", 9, [0, 0, 1, 4]),
    ]
    assert (summary.images, summary.persons) == (3, 3)
    with pytest.raises(ValueError, match=r"COCO's \.json or MOTChallenge's \.txt"):
        predict(frames, tmp_path / "b.jsonl", boxes="boxes.xml")


def test_each_answer_is_drawn_under_the_number_of_its_image(tmp_path):
    folder = write_images(tmp_path / "crops", CHUNK + 2)
    (folder / "person_0003.png").write_text("broken")
    wide = np.zeros((1, 5000, 3), np.uint8)
    Image.fromarray(wide).save(folder / "person_0009.png")
    predict(folder, tmp_path / "out.csv", overlays=tmp_path / "drawn")
    drawn = sorted(path.name for path in (tmp_path / "drawn").iterdir())
    numbers = [*range(3), *range(4, CHUNK + 2)]
    assert drawn == [f"{n:07}_person_{n:04}.png" for n in numbers]
    assert all(Image.open(tmp_path / "drawn" / name).width < 2000 for name in drawn)


def test_shards_are_together_the_whole_run(tmp_path):
    folder = write_images(tmp_path / "crops", 5 * CHUNK - 3)
    predict(folder, tmp_path / "whole.jsonl")
    shards = [tmp_path / f"{i}.jsonl" for i in range(1, 4)]
    for i, out in enumerate(shards, 1):
        predict(folder, out, shard=(i, 3))
    assert all(out.stat().st_size for out in shards)
    together = b"".join(out.read_bytes() for out in shards)
    assert together == (tmp_path / "whole.jsonl").read_bytes()
    with pytest.raises(ValueError, match="no shard 0/3: they are 1/3 to 3/3"):
        predict(folder, tmp_path / "0.jsonl", shard=(0, 3))
    images = [ImageInput(str(n)) for n in range(CHUNK)]
    assert cut(images, [[None]] * CHUNK, (1, 2)) == []  # more shards than chunks


# --- what is refused ------------------------------------------------------------------


def test_a_file_that_exists_is_kept_unless_it_may_be_overwritten(tmp_path):
    folder, out = write_images(tmp_path / "crops", 2), tmp_path / "out.jsonl"
    out.write_text("precious")
    with pytest.raises(FileExistsError, match="--overwrite"):
        predict(folder, out)
    assert out.read_text() == "precious"
    predict(folder, out, overwrite=True)
    assert len(rows_of(out)) == 2
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(FileExistsError):
        predict(folder, tmp_path / "folder.csv", overwrite=True)


def test_what_the_model_cannot_do_leaves_nothing_behind(tmp_path):
    class Unsure(PredictorSettings):
        def open(self):
            return Means()

    folder = write_images(tmp_path / "crops", 1)
    with pytest.raises(ValueError, match="cannot say that it is not sure"):
        predict(folder, tmp_path / "out.csv", Unsure("no file"), abstain=True)
    assert [path.name for path in tmp_path.iterdir()] == ["crops"]


def test_other_endings_and_a_missing_library_are_refused_before_the_model_is_loaded(
    tmp_path, monkeypatch
):
    with pytest.raises(ValueError, match=r"end in \.jsonl, \.csv, \.parquet"):
        predict(tmp_path, tmp_path / "out.xlsx")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="pip install pyarrow"):
        predict(tmp_path, tmp_path / "out.parquet")


class Stop(BaseException):
    """The process ends here."""


def stop_after(monkeypatch, count):
    """The process ends at the ``count``-th name that is to appear or disappear."""
    left = [count]

    def counted(call):
        def counting(*args, **options):
            left[0] -= 1
            if left[0] < 0:
                raise Stop
            return call(*args, **options)

        return counting

    monkeypatch.setattr(os, "replace", counted(os.replace))
    # Python 3.9's paths have looked up os.unlink when they are imported.
    monkeypatch.setattr(Path, "unlink", counted(Path.unlink))


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        (dict(settings=Settings("no file", batch_size=4)), "batch_size 3, now 4"),
        (dict(settings=Settings("no file", None, 3, 0.1)), r"thresholds \[0.5, 0.5"),
        (dict(settings=Settings("no file", None, 3, None, "bf16")), "precision"),
        (dict(settings=Settings(__file__, None, 3)), "model_sha256"),
        (dict(abstain=True), "abstain False, now True"),
        (dict(shard=(1, 2)), r"shard \[1, 1\], now \[1, 2\]"),
        (dict(sources="more"), "images 17, now 18"),
        (dict(sources="renamed"), "inputs_sha256"),
    ],
)
def test_what_was_begun_otherwise_is_not_continued(
    tmp_path, monkeypatch, changed, named
):
    folder, out = write_images(tmp_path / "crops", 2 * CHUNK + 1), tmp_path / "a.jsonl"
    with monkeypatch.context() as patch:
        stop_after(patch, 6)
        with pytest.raises(Stop):
            predict(folder, out)
    assert [*(tmp_path / "a.jsonl.parts").glob("*.jsonl")]
    sources = changed.pop("sources", None)
    if sources == "more":
        write_images(folder, 1, start=900)
    elif sources == "renamed":
        (folder / "person_0016.png").rename(folder / "person_0017.png")
    with pytest.raises(ValueError, match=named) as refused:
        predict(folder, out, **changed)
    assert "delete" in str(refused.value)
    # Nothing is lost by beginning anew where nothing was answered.
    (tmp_path / "b.jsonl.parts").mkdir()
    shutil.copy(tmp_path / "a.jsonl.parts/job.json", tmp_path / "b.jsonl.parts")
    predict(folder, tmp_path / "b.jsonl", **changed)
    (tmp_path / "a.jsonl.parts/job.json").unlink()
    with pytest.raises(ValueError, match=r"has answers, but no job\.json"):
        predict(folder, out)


# --- stopped and continued ------------------------------------------------------------


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_stopped_at_any_step_it_ends_as_if_it_had_not_been(
    tmp_path, monkeypatch, ending
):
    pytest.importorskip("pyarrow")
    monkeypatch.setattr(predict_files, "CHUNK", 2)
    folder = write_images(tmp_path / "crops", 3)

    def run(place):
        drawn = place / "drawn" if ending == "csv" else None
        predict(folder, place / f"out.{ending}", overlays=drawn)

    run(tmp_path / "whole")
    expected = files_below(tmp_path / "whole")
    for count in range(100):
        place = tmp_path / str(count)
        try:
            with monkeypatch.context() as patch:
                stop_after(patch, count)
                run(place)
        except Stop:
            run(place)
            assert files_below(place) == expected
        else:
            break
    assert count > 8  # two chunks, the note of the job twice, the whole; deletions


def test_a_second_run_is_kept_out_of_what_the_first_writes(tmp_path):
    folder, out = write_images(tmp_path / "crops", 3), tmp_path / "out.jsonl"

    def run(settings, answers, chunks):
        with pytest.raises(FileExistsError, match=r"another run is writing to .*parts"):
            predict(folder, out)
        return answers.write(settings.open(), chunks)

    assert predict(folder, out, run=run).persons == 3
    assert {*tmp_path.iterdir()} == {folder, out}


def begin(*arguments, **options):
    """Start it in a process of its own."""
    context = multiprocessing.get_context("fork")
    process = context.Process(target=predict, args=arguments, kwargs=options)
    process.start()
    return process


def test_a_folder_of_broken_and_odd_images_killed_ten_times(tmp_path, monkeypatch):
    monkeypatch.setattr(predict_files, "CHUNK", 25)
    folder = write_images(tmp_path / "crops", 983)
    expected = write_odd_images(folder)
    assert len(expected) == 17
    predict(folder, tmp_path / "whole.jsonl")
    rng = random.Random(12)
    out, parts = tmp_path / "killed.jsonl", tmp_path / "killed.jsonl.parts"
    num_chunks = 1000 // 25
    for kill in range(10):
        process = begin(folder, out)
        wanted = rng.randrange(kill * num_chunks // 11, num_chunks * (kill + 1) // 11)
        while process.is_alive() and len([*parts.glob("*.jsonl")]) < wanted:
            time.sleep(0.001)
        time.sleep(rng.random() / 50)
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert process.exitcode == -signal.SIGKILL
    before = len([*parts.glob("*.jsonl")]) * 25
    summary = predict(folder, out)
    assert summary.images - summary.images_now == before > 0
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("crops", "killed.jsonl", "whole.jsonl")
    ]
    rows = {os.path.basename(row["img_path"]): row for row in rows_of(out)}
    assert len(rows) == (summary.persons + summary.errors) == 1000
    assert {name for name, row in rows.items() if row["error"]} == {
        name for name, found in expected.items() if isinstance(found, str)
    }
    for name, found in expected.items():
        if isinstance(found, str):
            assert found in rows[name]["error"]


def test_odd_images_are_answered_like_the_same_pixels_in_a_clean_file(tmp_path):
    expected = write_odd_images(tmp_path)
    readable = {n: rgb for n, rgb in expected.items() if not isinstance(rgb, str)}
    for number, rgb in enumerate(readable.values()):
        Image.fromarray(rgb).save(tmp_path / f"clean_{number}.png")
    odd = [str(tmp_path / name) for name in readable]
    clean = [str(tmp_path / f"clean_{number}.png") for number in range(len(readable))]
    predictor = ReadingMeans()
    for name, found, same in zip(
        readable, predictor.predict(odd), predictor.predict(clean)
    ):
        rounding = 2.5 / 255 if "cmyk" in name else 0  # of the decoder's conversion
        assert found.scores == pytest.approx(same.scores, abs=rounding), name
        assert found.present == same.present


def test_names_that_are_not_utf8_survive(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    name = os.fsdecode(b"latin1_\xe4\xff.png")
    (tmp_path / "crops").mkdir()
    Image.fromarray(PIXELS).save(str(tmp_path / "crops" / name))
    for ending in ("jsonl", "csv", "parquet"):
        out = tmp_path / f"out.{ending}"
        predict(tmp_path / "crops", out, overlays=tmp_path / "drawn")
    (row,) = rows_of(tmp_path / "out.jsonl")
    assert row["error"] is None
    assert os.path.exists(row["img_path"])
    for frame in (
        pandas.read_csv(tmp_path / "out.csv"),
        pandas.read_parquet(tmp_path / "out.parquet"),
    ):
        assert frame.img_path[0].endswith("latin1_\\udce4\\udcff.png")
    assert (tmp_path / "drawn" / f"0000000_{name}").exists()
