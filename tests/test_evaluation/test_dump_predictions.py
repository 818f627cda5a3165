"""DumpPredictions writes what spreadsheets, pandas and read_predictions read."""

import csv
import itertools
import json
import os

import numpy as np
import pandas
import pytest

from mmpar.evaluation import (
    DumpPredictions,
    read_dump,
    read_predictions,
    read_record,
)
from tests.test_evaluation.test_par_metric import (
    META,
    NAMES,
    evaluate,
    of_domains,
    samples,
    stacked,
)

THRESHOLDS = [0.2, 0.5, 0.8]


def read_csv(path):
    with path.open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def test_dump_writes_csv_and_json(tmp_path):
    data = samples(threshold=THRESHOLDS)
    scores, labels = stacked(data)
    decisions = (scores > np.array(THRESHOLDS, np.float32)).astype(int)
    evaluate(DumpPredictions(str(tmp_path / "new/out.csv")), data)
    lines = read_csv(tmp_path / "new/out.csv")
    assert [line["img_path"] for line in lines] == [s["img_path"] for s in data]
    assert [[float(line[f"score:{n}"]) for n in NAMES] for line in lines] == [
        pytest.approx(row, abs=1e-6) for row in scores.tolist()
    ]
    assert [[int(line[f"decision:{n}"]) for n in NAMES] for line in lines] == (
        decisions.tolist()
    )
    assert [[int(line[f"truth:{n}"]) for n in NAMES] for line in lines] == (
        labels.astype(int).tolist()
    )
    evaluate(DumpPredictions(str(tmp_path / "out.json")), data)
    content = json.loads((tmp_path / "out.json").read_text())
    assert content["schema"]["names"] == NAMES
    assert content["predictions"][2] == dict(
        img_path="2.jpg",
        scores=scores[2].tolist(),
        decisions=decisions[2].tolist(),
        truths=labels[2].astype(int).tolist(),
    )


def test_the_csv_is_read_by_excel_and_pandas(tmp_path):
    path = tmp_path / "out.csv"
    metric = DumpPredictions(str(path))
    data = samples()
    for sample in data:
        sample["img_path"] = "Straße/街.jpg"
    metric.dataset_meta = META
    metric.process(None, data)
    metric.evaluate(11)
    # Excel takes a file without this mark for the machine's code page.
    assert path.read_bytes().startswith(b"\xef\xbb\xbfimg_path,score:Hat,")
    table = pandas.read_csv(path)
    assert list(table) == [
        "img_path",
        *(f"{kind}:{n}" for kind in ("score", "decision", "truth") for n in NAMES),
    ]
    assert (table["img_path"] == "Straße/街.jpg").all()
    expected = stacked(data)[0] > 0.5
    assert (table.filter(regex="^decision:") == expected).all().all()


def test_images_without_labels_are_exported(tmp_path):
    data = samples()
    for sample in data:
        sample["gt_score"][:] = -1
    evaluate(DumpPredictions(str(tmp_path / "out.csv")), data)
    lines = read_csv(tmp_path / "out.csv")
    assert {line[f"truth:{name}"] for line in lines for name in NAMES} == {"-1"}
    assert {line["decision:Hat"] for line in lines} == {"0", "1"}


def test_dump_tells_the_domain(tmp_path):
    data = of_domains(samples(), ["PETA", 3, None])
    evaluate(DumpPredictions(str(tmp_path / "out.csv")), data)
    evaluate(DumpPredictions(str(tmp_path / "out.json")), data)
    lines = read_csv(tmp_path / "out.csv")
    assert list(lines[0])[:2] == ["img_path", "domain"]
    expected = ["PETA", "domain3", ""]
    assert [line["domain"] for line in lines[:3]] == expected
    assert float(lines[1]["score:Hat"]) == pytest.approx(
        float(data[1]["pred_score"][0]), abs=1e-6
    )
    predictions = json.loads((tmp_path / "out.json").read_text())["predictions"]
    assert [one["domain"] for one in predictions[:3]] == expected


def test_dump_refuses_other_files():
    with pytest.raises(ValueError, match=r"\.csv or \.json"):
        DumpPredictions("out.pkl")


FACTS = [
    dict(person_id=7, camera=2, ori_shape=(160, 64), seen=1),
    dict(person_id=-1, camera="NA", ori_shape=(99, 40), seen=0),
    {},
]


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_predictions_are_read_as_they_were_written(tmp_path, ending):
    data = of_domains(samples(threshold=THRESHOLDS), ["PETA", 3, None])
    for sample, facts in zip(data, itertools.cycle(FACTS)):
        sample.update(facts)
    path = tmp_path / f"out.{ending}"
    evaluate(DumpPredictions(str(path)), data)
    found = read_predictions(path)
    assert found.img_path.tolist() == [sample["img_path"] for sample in data]
    assert found.domain[:4].tolist() == ["PETA", "domain3", "", "PETA"]
    assert found.person_id[:4].tolist() == ["7", "", "", "7"]
    assert found.camera[:4].tolist() == ["2", "NA", "", "2"]
    assert found.image_size[:3].tolist() == [[64, 160], [40, 99], [0, 0]]
    assert found.seen[:4].tolist() == [1, 0, -1, 1]
    scores, labels = stacked(data)
    assert np.abs(found.scores - scores).max() <= (0 if ending == "json" else 1e-6)
    assert (found.labels == labels).all()
    assert (found.decisions == (scores > np.array(THRESHOLDS, np.float32))).all()


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_facts_that_no_image_has_are_not_written_and_read_as_unknown(tmp_path, ending):
    path = tmp_path / f"out.{ending}"
    evaluate(DumpPredictions(str(path)), samples())
    text = path.read_text(encoding="utf-8-sig")
    for name in ("domain", "person_id", "camera", "width", "height", "seen"):
        assert name not in text
    schema, found = read_dump(path)
    assert list(schema.names) == NAMES
    assert {*found.domain, *found.person_id, *found.camera} == {""}
    assert (found.image_size == 0).all()
    assert (found.seen == -1).all()


def test_the_json_says_what_the_predictions_come_from(tmp_path):
    for ending, expected in dict(json=dict(protocol="paper"), csv={}).items():
        path = tmp_path / f"out.{ending}"
        metric = DumpPredictions(str(path))
        evaluate(metric, samples())
        assert read_record(path) == {}
        metric.record = dict(protocol="paper")
        evaluate(metric, samples())
        assert read_record(path) == expected
        assert len(read_predictions(path).scores) == len(samples())


@pytest.mark.parametrize("content", ["{", "[]", '{"record": 3}'])
def test_a_record_that_is_none_is_refused_by_name(tmp_path, content):
    (tmp_path / "out.json").write_text(content)
    with pytest.raises(ValueError, match=r"out\.json does not hold the predictions"):
        read_record(tmp_path / "out.json")


@pytest.mark.parametrize("content", ["{", "[]", '{"predictions": [{}]}'])
def test_a_file_without_predictions_is_refused_by_name(tmp_path, content):
    (tmp_path / "out.json").write_text(content)
    with pytest.raises(ValueError, match=r"out\.json does not hold the predictions"):
        read_predictions(tmp_path / "out.json")


def test_a_table_with_cells_left_out_is_refused_by_name(tmp_path):
    path = tmp_path / "out.csv"
    evaluate(DumpPredictions(str(path)), samples())
    text = path.read_text(encoding="utf-8-sig")
    path.write_text(text.replace("truth:Hat", "wahr:Hat"))
    with pytest.raises(ValueError, match=r"out\.csv does not hold .*truth:Hat"):
        read_predictions(path)


def test_a_dump_with_values_of_another_number_of_attributes_is_refused(tmp_path):
    path = tmp_path / "out.json"
    evaluate(DumpPredictions(str(path)), samples())
    content = json.loads(path.read_text())
    for one in content["predictions"]:
        one["scores"].append(0.5)
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"out\.json does not hold .*of the shape"):
        read_predictions(path)


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_an_interrupted_dump_leaves_the_earlier_file(tmp_path, monkeypatch, ending):
    def fail(*paths):
        raise OSError("the disk is full")

    path = tmp_path / f"out.{ending}"
    path.write_text("earlier")
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="full"):
        evaluate(DumpPredictions(str(path)), samples())
    assert [file.read_text() for file in tmp_path.iterdir()] == ["earlier"]
