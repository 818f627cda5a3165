"""The doctor finds stored-again images and doubted labels; a person corrects them."""

import csv

import cv2
import numpy as np
import pytest

from mmpar.datasets import AttributeListDataset
from mmpar.datasets.corrections import Corrections, write_review
from mmpar.datasets.doctor import Published, check_dataset
from mmpar.datasets.doctor.label_vectors import (
    compare_label_vectors,
    count_exclusive_sets,
)
from mmpar.datasets.doctor.near_copies import near_copies
from mmpar.datasets.doctor.report import html_report
from mmpar.datasets.preparing import prepare
from mmpar.evaluation import DumpPredictions, read_dump
from mmpar.structures import build_schema
from mmpar.utils.perceptual_hash import group_near_copies, perceptual_hash
from tests.test_tools.run import call_tool

NAMES = ["Hat", "Front", "Back"]
SCHEMA = dict(names=NAMES, exclusive=[["Front", "Back"]])
FLIPPED = [("train", 3, 0), ("val", 1, 2)]
"""Split, row and attribute of the labels that are wrong."""


def smooth(seed, size=(48, 96)):
    """Large differences over the image and smaller ones nearby, as in a photograph."""
    rng = np.random.default_rng(seed)
    image = np.full((size[1], size[0], 3), 128.0)
    for rows, height in ((3, 60), (6, 40), (12, 30), (24, 30)):
        coarse = rng.normal(0, height, (rows, rows // 2 + 1, 3))
        image += cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    return image.clip(0, 255).astype(np.uint8)


def stored(image, way):
    if way == "mirrored":
        return np.ascontiguousarray(image[:, ::-1])
    if way == "half":
        return cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 40])[1]
    return cv2.imdecode(coded, cv2.IMREAD_COLOR)


def differing_bits(one, other):
    """Slow and plain: of two hashes, as they are or one of them mirrored."""
    bits = [np.unpackbits(np.frombuffer(h, np.uint8))[:143] for h in (one, other)]
    signs = np.array([(-1) ** ((i + 1) % 12) for i in range(143)])
    mirrored = np.where(signs < 0, 1 - bits[0], bits[0])
    return min((bits[0] != bits[1]).sum(), (mirrored != bits[1]).sum())


@pytest.mark.parametrize("way", ["jpeg", "half", "mirrored"])
def test_images_stored_again_are_near_copies_and_others_are_not(way):
    images = [smooth(i) for i in range(30)]
    images += [stored(images[i], way) for i in (4, 9)] + [stored(images[4], "half")]
    groups = group_near_copies([perceptual_hash(image) for image in images])
    assert [group.tolist() for group in groups] == [[4, 30, 32], [9, 31]]


def test_groups_are_those_of_all_pairs_one_by_one():
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, (6, 144), np.uint8).repeat(10, axis=0)
    bits[rng.random(bits.shape) < 0.07] ^= 1
    bits[:, -1] = 0
    hashes = [np.packbits(row).tobytes() for row in bits]
    hashes[7] = b""
    group_of = list(range(60))
    for i in range(60):
        for j in range(i):
            if 7 not in (i, j) and differing_bits(hashes[i], hashes[j]) <= 20:
                old, new = group_of[i], group_of[j]
                group_of = [new if g == old else g for g in group_of]
    expected = {g: [i for i in range(60) if group_of[i] == g] for g in group_of}
    found = [group.tolist() for group in group_near_copies(hashes)]
    assert found == sorted(g for g in expected.values() if len(g) > 1)
    assert len(found) >= 6


def test_an_image_of_one_colour_is_like_no_other():
    grey = perceptual_hash(np.full((9, 9, 3), 128, np.uint8))
    assert grey == b""
    assert group_near_copies([grey, grey]) == []


@pytest.fixture
def site(tmp_path):
    """Two lists with two flipped labels, a model's predictions, and one near copy."""
    rng = np.random.default_rng(0)
    true = rng.integers(0, 2, (40, 2))
    true = np.column_stack([true, 1 - true[:, 1]])
    scores = np.clip(true + rng.normal(0, 0.1, true.shape), 0.02, 0.98)
    labels = dict(train=true[:30].copy(), val=true[30:].copy())
    for split, row, column in FLIPPED:
        labels[split][row, column] ^= 1
        place = row + 30 * (split == "val")
        scores[place, column] = true[place, column] * 0.96 + 0.02  # a confident model
    rows, number = [], 0
    for split, given in labels.items():
        for i, row in enumerate(given):
            name = f"{split}{i}.png"
            image = smooth(number)
            if (split, i) == ("val", 0):
                image = stored(smooth(3), "jpeg")
            cv2.imwrite(str(tmp_path / name), image)
            rows.append([name, split, *row])
            number += 1
    labels["val"][0] = [1 - labels["train"][3][0], *labels["train"][3][1:]]
    rows[30][2:] = labels["val"][0]
    scores[30] = np.abs(labels["val"][0] - 0.1)
    with (tmp_path / "all.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["path", "split", *NAMES], *rows])
    metric = DumpPredictions(out_file=str(tmp_path / "folds.json"))
    metric.dataset_meta = dict(classes=NAMES, schema=build_schema(SCHEMA).to_dict())
    samples = [
        dict(
            pred_score=score,
            pred_label=np.flatnonzero(score > 0.5),
            gt_score=np.array(row[2:], float),
            img_path=f"/elsewhere/{row[0]}",
            sample_idx=i,
        )
        for i, (score, row) in enumerate(zip(scores, rows))
    ]
    metric.process(None, samples)
    metric.evaluate(len(samples))
    return tmp_path


def open_site(folder):
    return {
        split: AttributeListDataset(
            data_root=str(folder), ann_file="all.csv", split=split, schema=SCHEMA
        )
        for split in ("train", "val")
    }


def test_flipped_labels_and_nothing_else_are_suspect(site):
    found = check_dataset(open_site(site), predictions=read_dump(site / "folds.json"))
    suspects = {(s.image, s.attribute): s for s in found.x_ray.suspects}
    expected = {(str(site / f"{s}{row}.png"), NAMES[c]) for s, row, c in FLIPPED}
    assert suspects.keys() == expected
    assert found.x_ray.covered == dict(train=30, val=10)
    first = suspects[str(site / "train3.png"), "Hat"]
    assert first.reasons[0].startswith("the model gives ")
    assert first.reasons[1] == "a near copy of the image is labelled otherwise"
    reasons = suspects[str(site / "val1.png"), "Back"].reasons
    assert "exclu" in reasons[1]
    (group,) = found.copies
    assert group.images == (str(site / "train3.png"), str(site / "val0.png"))
    assert group.differing == ("Hat",)
    assert [i.check for i in near_copies(found.copies, None)] == [
        "copies with differing labels",
        "near copies across splits",
    ]
    severities = {i.severity for i in near_copies(found.copies, Published())}
    assert severities == {"note"}
    page = html_report("site", found)
    assert "2 suspected label errors" in page
    assert "labels differ: Hat" in page
    assert page.index("1 groups of near copies") > page.index("<b>Hat</b>")


def test_a_person_corrects_the_review_and_the_labels_are_written(site):
    common = ("AttributeListDataset", site, "--ann-file", "all.csv")
    code, text = call_tool(
        "analysis_tools/check_dataset.py",
        *common,
        *("--predictions", "folds.json", "--review", "review.csv"),
        *("--out", "report.html"),
        cwd=site,
    )
    assert code == 1, text  # near copies across splits
    assert "2 suspects" in text
    assert "suspected label errors" in (site / "report.html").read_text("utf-8")
    with (site / "review.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2
    for row in rows:
        assert row["new"] == ""
        row["new"] = row["suggested"]
    with (site / "review.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    code, text = call_tool(
        "dataset_converters/prepare.py",
        *(*common, "--out", "fixed", "--corrections", "review.csv"),
        cwd=site,
    )
    assert code == 0, text
    for split, before in open_site(site).items():
        expected = before.get_labels().copy()
        for where, row, column in FLIPPED:
            if where == split:
                expected[row, column] ^= 1
        after = AttributeListDataset(
            data_root=str(site),
            ann_file="fixed/annotation.json",
            split=split,
            schema=SCHEMA,
        )
        assert (after.get_labels() == expected).all()


def review(folder, *rows, columns="image,attribute,given,probability,suggested,new"):
    file = folder / "review.csv"
    file.write_text("\n".join([columns, *rows]) + "\n", encoding="utf-8-sig")
    return file


REFUSED = {
    "lacks the columns .'new'.": ("a", "image,attribute,given"),
    "line 2: found the label 'yes'": ("train0.png,Hat,{given},0.5,0,yes", ""),
    "has no attribute 'Helmet'": ("train0.png,Helmet,1,0.5,0,0", ""),
    "made of other labels": ("train0.png,Hat,{other},0.5,0,0", ""),
    "1 corrections are of images that are not written": ("x.png,Hat,1,0.5,0,0", ""),
    "lines 2 and 3 both correct": ("x.png,Hat,1,0,0,0\nx.png,Hat,1,0,0,1", ""),
}


@pytest.mark.parametrize("message", REFUSED)
def test_a_review_that_does_not_fit_is_refused(site, message):
    row, columns = REFUSED[message]
    given = int(open_site(site)["train"].get_labels()[0, 0])
    row = row.format(given=given, other=1 - given)
    file = review(site, row, **(dict(columns=columns) if columns else {}))
    with pytest.raises(ValueError, match=message):
        prepare(
            AttributeListDataset,
            [0],
            str(site / "fixed"),
            ann_file="all.csv",
            data_root=str(site),
            corrections=str(file),
        )


def test_rows_that_were_left_empty_correct_nothing(site):
    file = review(site, "train0.png,Hat,1,0.5,0,", "train1.png,Hat,0,0.5,1, ")
    assert Corrections(file).corrections == []
    write_review(file, [])
    assert Corrections(file).corrections == []


def test_predictions_of_something_else_are_refused(site):
    schema, predictions = read_dump(site / "folds.json")
    splits = open_site(site)
    other = build_schema(dict(names=["Hat", "Front", "Bag"]))
    with pytest.raises(ValueError, match=r"lack the attributes \['Back'\]"):
        check_dataset(splits, predictions=(other, predictions))
    predictions.img_path[:] = [f"{i}.bmp" for i in range(40)]
    with pytest.raises(ValueError, match="none of the 40 predictions is of one of"):
        check_dataset(splits, predictions=(schema, predictions))


def test_exclusive_sets_and_label_vectors_are_counted(tmp_path):
    rows = dict(
        train=[[1, 1, 0], [0, 0, 1], [1, 1, 1], [0, 0, 0], [0, -1, 0]],
        test=[[1, 1, 0], [1, 1, 0], [1, 0, 1]],
    )
    for split, labels in rows.items():
        lines = [f"{i}.png {' '.join(map(str, row))}" for i, row in enumerate(labels)]
        (tmp_path / f"{split}.txt").write_text("\n".join(lines))
    splits = {
        split: AttributeListDataset(
            data_root=str(tmp_path),
            ann_file=f"{split}.txt",
            schema=SCHEMA,
            missing_images="ignore",
        )
        for split in rows
    }
    train, test = count_exclusive_sets(splits)
    assert (train.none, train.one, train.several) == (1, 2, 1)
    assert (test.none, test.one, test.several) == (0, 3, 0)
    (vectors,) = compare_label_vectors(splits)
    assert (vectors.seen, vectors.images) == (2, 3)
    assert (vectors.distinct, vectors.training) == (2, 5)
