"""PETA's ten folders become the release's images, in the order of ``PETA.mat``."""

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from PIL import Image

from mmpar.datasets import PETA
from mmpar.datasets.peta import read_peta
from mmpar.datasets.peta_folders import (
    COUNTS,
    FOLDERS,
    PETAFolders,
    convert,
    read_peta_folders,
)
from mmpar.structures import SCHEMAS
from tests.fixtures.peta import REAL_PETA, peta_fields, real_peta
from tests.test_tools.run import run_tool

NAMES = SCHEMAS["peta105"].names
FILES = {
    # The bytes of the names put 10 before 2 and upper case before lower.
    "3DPeS": ["10_1_FRAME_26_RGB.bmp", "2_4_FRAME_185_RGB.bmp"],
    "CUHK": ["0002.png", "0003.PNG"],
    "GRID": ["0001_1_25004_107_32.jpeg"],
    "SARC3D": ["001_Right.bmp", "001_back.bmp", "050_left.bmp"],
}
OTHERS = "0001_a.jpg"
ORDER = [(s, n) for s in FOLDERS for n in FILES.get(s, [OTHERS])]


def labels_of(source, number):
    """0 and 1, one row a person."""
    seed = [FOLDERS.index(source), number]
    return np.random.default_rng(seed).integers(0, 2, len(NAMES))


def number_of(name):
    return int(name.split("_")[0].split(".")[0])


def line(first, labels):
    words = [name for name, label in zip(NAMES, labels) if label]
    words = ["footwearSneakers" if w == "footwearSneaker" else w for w in words]
    return " ".join([first, *words, "accessoryFaceMask"])


def write_folders(root, images=True):
    """Write the tree; CUHK's lists name images, the others persons."""
    for source, name in ORDER:
        folder = root / source / "archive"
        folder.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number_of(name)).integers(0, 256, (9, 5, 3))
        image = Image.fromarray(noise.astype(np.uint8))
        image.save(folder / name) if images else (folder / name).touch()
    for source in FOLDERS:
        names = FILES.get(source, [OTHERS])
        first = {n: n if source == "CUHK" else n.split("_")[0] for n in names}
        lines = {line(first[n], labels_of(source, number_of(n))) for n in names}
        folder = root / source / "archive"
        (folder / "Label.txt").write_text("\r\n".join(sorted(lines)) + "\r\n")
        (folder / "Thumbs.db").write_bytes(b"x")
    return root


def write_mat(path, change=None):
    """``PETA.mat`` of the same images."""
    data = np.zeros((len(ORDER), 109), int)
    persons = {}
    for row, (source, name) in zip(data, ORDER):
        number = number_of(name)
        row[:4] = len(persons), 0, FOLDERS.index(source) + 1, number
        persons.setdefault((row[2], number), None)
        row[4:] = labels_of(source, number)
    rank = {person: i for i, person in enumerate(sorted(persons), start=1)}
    data[:, 0] = np.arange(1, len(ORDER) + 1)
    data[:, 1] = [rank[row[2], row[3]] for row in data]
    if change:
        change(data)
    path.parent.mkdir(exist_ok=True)
    scipy.io.savemat(path, peta_fields(len(ORDER), data=data))
    return data


def test_rows_are_in_the_order_of_the_release(tmp_path):
    write_folders(tmp_path)
    counts = [len(FILES.get(source, [OTHERS])) for source in FOLDERS]
    found = read_peta_folders(tmp_path, counts)
    assert [(f.parents[1].name, f.name) for f in found.files] == ORDER
    expected = [labels_of(s, number_of(n)).tolist() for s, n in ORDER]
    assert found.labels.tolist() == expected


def test_the_images_fit_peta_mat(tmp_path):
    write_folders(tmp_path / "PETA dataset")
    out = tmp_path / "out"
    data = write_mat(out / "PETA.mat")
    done = []
    convert(tmp_path / "PETA dataset", out, report=lambda i, n: done.append((i, n)))
    assert done[-1] == (len(ORDER), len(ORDER))
    for split in ("train", "val", "test"):
        dataset = PETA(data_root=str(out), split=split, schema="all")
        for i in range(len(dataset)):
            info = dataset.get_data_info(i)
            row = int(Path(info["img_path"]).stem) - 1
            source, name = ORDER[row]
            assert (
                info["gt_score"].tolist() == labels_of(source, number_of(name)).tolist()
            )
            assert info["person_id"] == data[row, 1]
            original = tmp_path / "PETA dataset" / source / "archive" / name
            with Image.open(info["img_path"]) as image, Image.open(original) as other:
                assert image.format == "PNG"
                assert np.array_equal(image, other.convert("RGB"))


def test_labels_csv_has_what_the_release_has(tmp_path):
    write_folders(tmp_path / "in")
    data = write_mat(tmp_path / "PETA.mat")
    convert(tmp_path / "in", tmp_path / "out", tmp_path / "PETA.mat")
    with (tmp_path / "out/labels.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["path", "person_id", "domain", *NAMES]
    assert [row[0] for row in rows] == [f"{i:05}.png" for i in data[:, 0]]
    found = np.array(rows)[:, 1:].astype(int)
    assert np.array_equal(found, data[:, [1, 2, *range(4, 109)]])


def test_a_stopped_run_goes_on(tmp_path):
    write_folders(tmp_path / "in")
    out = tmp_path / "out"
    write_mat(out / "PETA.mat")

    def stop(done, total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(tmp_path / "in", out, report=stop)
    before = (out / "images/00001.png").stat().st_mtime_ns
    convert(tmp_path / "in", out)
    assert (out / "images/00001.png").stat().st_mtime_ns == before
    assert len(list((out / "images").iterdir())) == len(ORDER)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_an_image_too_large_is_named(tmp_path, monkeypatch):
    write_folders(tmp_path / "in")
    write_mat(tmp_path / "out/PETA.mat")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1)  # Pillow's own error has no name
    with pytest.raises(ValueError, match=r"\.(png|bmp|jpe?g) .*pixels; at most 1 "):
        convert(tmp_path / "in", tmp_path / "out")


def another_label(data):
    data[2, 4 + 7] = 1 - data[2, 4 + 7]


def another_person(data):
    data[2, 1] = 99


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (another_label, r"Label\.txt says upperBodyCasual=. of 0001_a\.jpg, but row 3"),
        (another_person, r"0001_a\.jpg is of person 3, but row 3 of .*PETA\.mat of 99"),
    ],
)
def test_what_differs_from_peta_mat_is_an_error(tmp_path, change, match):
    write_folders(tmp_path / "in", images=False)
    write_mat(tmp_path / "PETA.mat", change)
    with pytest.raises(ValueError, match=match):
        convert(tmp_path / "in", tmp_path / "out", tmp_path / "PETA.mat")
    assert not (tmp_path / "out").exists()


def test_faulty_folders_are_errors(tmp_path):
    write_folders(tmp_path / "in", images=False)
    write_mat(tmp_path / "PETA.mat")
    label_file = tmp_path / "in/CUHK/archive/Label.txt"

    def refused(match, kind=ValueError):
        with pytest.raises(kind, match=match):
            convert(tmp_path / "in", tmp_path / "out", tmp_path / "PETA.mat")

    text = label_file.read_text()
    label_file.write_text(text.replace("0003.PNG", "0004.png"))
    refused(r"CUHK.*Label\.txt has no line for 0003\.PNG")
    label_file.write_text(text + "0002.png hairLong\n")
    refused(r"line 3: 0002\.png has different labels in an earlier line")
    label_file.write_text(text + "0009.png hairBlonde\n")
    refused(r"line 3: \['hairBlonde'\] are not attributes of PETA")
    label_file.write_text(text)
    (label_file.parent / "0002.png").unlink()
    refused("CUHK.* has 1 images, expected 2")
    label_file.unlink()
    (label_file.parent / "0002.png").touch()
    refused(r"no annotation file .*CUHK/archive/Label\.txt", FileNotFoundError)


def test_peta_names_the_tool_where_only_the_folders_are_there(tmp_path):
    write_folders(tmp_path / "PETA dataset", images=False)
    write_mat(tmp_path / "PETA.mat")
    with pytest.raises(FileNotFoundError, match=r"PETA dataset.*peta_folders\.py"):
        PETA(data_root=str(tmp_path), split="train")


def test_the_tool_converts(tmp_path):
    write_folders(tmp_path / "PETA dataset")
    write_mat(tmp_path / "out/PETA.mat")
    words = ("PETA dataset", "--out", "out")
    said = run_tool("dataset_converters/peta_folders.py", *words, cwd=tmp_path)
    assert f"wrote {len(ORDER)} images" in said


def test_without_peta_mat_the_published_counts_are_expected(tmp_path):
    write_folders(tmp_path / "in", images=False)
    with pytest.raises(ValueError, match="3DPeS/archive has 2 images, expected 1012"):
        convert(tmp_path / "in", tmp_path / "out")


def test_the_real_order_gives_the_real_persons_and_labels(tmp_path):
    """Names of the 19,000 originals, and a line made of ``PETA.mat`` for each."""
    order = REAL_PETA.parent / "peta_pictures/order.txt"
    if not order.exists():
        pytest.skip(f"no {order}")
    release = read_peta(str(real_peta()))
    lines = defaultdict(dict)
    for path, labels in zip(order.read_text().split(), release.labels):
        _, source, archive, name = path.split("/")
        (tmp_path / source / archive).mkdir(parents=True, exist_ok=True)
        (tmp_path / source / archive / name).touch()
        first = name if source == "CUHK" else name.split("_")[0]
        lines[source][first] = line(first, labels)
    for source, found in lines.items():
        text = "\n".join(found.values())
        (tmp_path / source / "archive/Label.txt").write_text(text)
    found: PETAFolders = read_peta_folders(tmp_path, COUNTS)
    assert np.array_equal(found.person_ids(), release.columns["person_id"])
    assert np.array_equal(found.domains, release.columns["domain"])
    assert np.array_equal(found.labels, release.labels)
