"""Whatever file a dataset needs: what stands in its place is named in the error."""

import pytest

from mmpar.datasets import (
    MSP60K,
    PA100K,
    PETA,
    UPAR,
    AttributeListDataset,
    Market1501Attribute,
    PETAzs,
    RAPv1,
    RAPv2,
    WIDERAttribute,
)
from mmpar.datasets.file_backends import LmdbImageBackend, ZipImageBackend
from mmpar.datasets.formats.coco import read_coco_keypoints
from mmpar.datasets.keypoints import KeypointArray
from mmpar.datasets.transforms import LoadPersonImage

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n"
STAND_INS = {
    "is empty": b"",
    r"is a web page \(HTML\)": b"<!DOCTYPE html>\n<html><body>Sign in</body></html>",
    "is a Git LFS pointer, .*git lfs pull": LFS,
}
FILES = [
    (PA100K, ""),
    (PETA, ""),
    (PETA, "x.pkl"),
    (PETA, "x.txt"),
    (PETA, "x.csv"),
    (PETA, "x.jsonl"),
    (PETAzs, ""),
    (RAPv1, ""),
    (RAPv2, ""),
    (MSP60K, ""),
    (UPAR, ""),
    (Market1501Attribute, ""),
    (WIDERAttribute, ""),
]


@pytest.mark.parametrize("match", STAND_INS)
@pytest.mark.parametrize(("kind", "name"), FILES)
def test_in_the_place_of_a_releases_file(tmp_path, kind, name, match):
    dataset = kind(data_root=str(tmp_path), ann_file=name, split="test", lazy_init=True)
    path = tmp_path / dataset.ann_file
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(STAND_INS[match])
    with pytest.raises(ValueError, match=f"{path.name} {match}"):
        dataset.full_init()


@pytest.mark.parametrize("match", STAND_INS)
@pytest.mark.parametrize("ending", ["txt", "csv", "json"])
def test_in_the_place_of_an_own_list(tmp_path, ending, match):
    path = tmp_path / f"x.{ending}"
    path.write_bytes(STAND_INS[match])
    with pytest.raises(ValueError, match=rf"x\.{ending} {match}"):
        AttributeListDataset(ann_file=str(path), schema=dict(names=["Hat"]))


@pytest.mark.parametrize("match", STAND_INS)
def test_in_the_place_of_an_archive_keypoints_or_an_image(tmp_path, match):
    def write(name):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(STAND_INS[match])
        return str(path)

    with pytest.raises(ValueError, match=rf"x\.zip {match}.*not a readable zip a"):
        ZipImageBackend(write("x.zip")).missing(["a.jpg"])
    write("x.lmdb/data.mdb")
    with pytest.raises(ValueError, match=rf"data\.mdb {match}.*not a readable LMDB"):
        LmdbImageBackend(str(tmp_path / "x.lmdb")).missing(["a.jpg"])
    with pytest.raises(ValueError, match=rf"x\.npy {match}.*not a whole NumPy array"):
        KeypointArray(write("x.npy"))
    with pytest.raises(ValueError, match=rf"x\.json {match}"):
        read_coco_keypoints(write("x.json"), ["a.jpg"])
    with pytest.raises(ValueError, match=f"is not a readable image: it {match}"):
        LoadPersonImage()(dict(img_path=write("x.jpg")))


OTHER_FORMATS = [
    (PETA, "PETA.mat", b"PK\x03\x04" + bytes(100), "is a zip archive, not a whole MAT"),
    (PETA, "PETA.mat", b"a.png 0 1\n" * 9, "is plain text that begins with 'a.png 0"),
    (PETA, "x.pkl", b"path,Hat\n", "is plain text .*, not a whole pickle"),
    (PETA, "x.pkl", b"\x1f\x8b" + bytes(30), "is a gzip archive, not a whole pickle"),
    (PETA, "PETA.mat", bytes(4096), "begins with zero bytes only"),
]


@pytest.mark.parametrize(("kind", "name", "content", "match"), OTHER_FORMATS)
def test_a_file_of_another_format_is_named(tmp_path, kind, name, content, match):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"{name} {match}"):
        kind(data_root=str(tmp_path), ann_file=name, split="test")
