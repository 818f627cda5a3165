"""The readers, each with whole files for a start and the way it is used."""

from __future__ import annotations

import io
import json
import pickle
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import scipy.io
import torch
from mmengine.logging.history_buffer import HistoryBuffer
from PIL import Image

from mmpar.datasets import (
    MSP60K,
    PA100K,
    PETA,
    AttributeListDataset,
    Market1501Attribute,
    PARDataset,
    RAPv1,
    RAPv2,
    WIDERAttribute,
)
from mmpar.datasets.file_backends import ImageArchive, LmdbImageBackend, ZipImageBackend
from mmpar.datasets.formats.coco import COCOBoxes, read_coco_keypoints
from mmpar.datasets.keypoints import KeypointArray
from mmpar.datasets.packing import pack
from mmpar.datasets.peta_folders import FOLDERS, read_peta_folders
from mmpar.datasets.transforms import LoadPersonImage
from mmpar.deploy.preprocessing import read_image
from mmpar.structures import SCHEMAS, build_schema
from mmpar.utils.checkpoint_files import load_from_local
from mmpar.utils.image_headers import upright_size
from tests.fixtures.common_pickle import common_entries
from tests.fixtures.easydict_pickles import write_easydict
from tests.fixtures.identity_attributes import write_attributes
from tests.fixtures.matlab73 import write_mat73
from tests.fixtures.pa100k import generated_rows, write_pa100k_release
from tests.fixtures.peta import peta_fields
from tests.fixtures.rap import write_rapv1_release, write_rapv2_release
from tests.fixtures.wider import generated_persons, wider_json
from tests.mutate_inputs.mutations import (
    Mutation,
    mutate_bytes,
    mutate_json,
    mutate_json_line,
    mutate_png,
    mutate_text,
    mutate_zip,
)
from tests.mutate_inputs.runs import NAME, Seed

NAMES = ("Hat", "Boots", "Ärmel")
SCHEMA = dict(names=NAMES)
PATHS = ("a.jpg", "b.jpg", "c/d e.jpg", "c/f.jpg", "g.png", "h.png")
IMAGES = {name.rpartition("/")[2]: b"" for name in PATHS}


# --- use ------------------------------------------------------------------------------


def _use(dataset: PARDataset) -> None:
    """What a training asks of an annotation."""
    for i in range(min(len(dataset), 3)):
        dataset.get_data_info(i)
    dataset.label_counts()


def _read_list(path: Path, **more: Any) -> None:
    _use(
        AttributeListDataset(
            ann_file=str(path),
            data_prefix=str(path.parent),
            missing_images="drop",
            **more,
        )
    )


def _read_release(
    path: Path, kind: type[PARDataset], split: str = "train", **more: Any
) -> None:
    """Its images are not looked for: the list is what is tested."""
    more["missing_images"] = "ignore"
    _use(kind(ann_file=str(path), data_prefix=str(path.parent), split=split, **more))


def _read_identities(path: Path) -> None:
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / "bounding_box_train"
        folder.mkdir()
        (folder / "0002_c1s1_000451_03.jpg").touch()
        _use(Market1501Attribute(data_root=root, ann_file=str(path), split="train"))


def _read_boxes(path: Path) -> None:
    boxes = COCOBoxes(str(path), build_schema(SCHEMA))
    for name in PATHS:
        boxes.find(name)


def _read_keypoints(path: Path) -> None:
    array = KeypointArray(path.parent / f"{NAME}.npy")
    for row in array.rows_of(PATHS):
        array[row]


def _read_archive(path: Path, opened: Callable[[str], ImageArchive]) -> None:
    archive = opened(str(path))
    archive.missing(PATHS)
    for name in [*archive.names(), *PATHS]:
        archive.get(name)


def _read_lmdb(path: Path) -> None:
    database = LmdbImageBackend(str(path.parent))
    try:
        _read_archive(path, lambda _: database)
    finally:
        database.close()


def _read_image(path: Path, **more: Any) -> None:
    LoadPersonImage(**more)(dict(img_path=str(path)))


# --- whole files ----------------------------------------------------------------------


def _seeds(
    contents: Iterable[bytes],
    ending: str,
    mutate: Mutation,
    *reads: Callable[[Path], Any],
    **more: Any,
) -> list[Seed]:
    return [
        Seed(f"{NAME}{ending}", content, mutate, read, **more)
        for content in contents
        for read in reads
    ]


def _checkpoint() -> list[Seed]:
    torch.manual_seed(0)
    state = {"conv.weight": torch.rand(4, 3, 3, 3), "norm.count": torch.tensor(3)}
    log = HistoryBuffer([0.5, 0.25], [1, 1])
    meta = dict(epoch=3, seed=7, classes=list(NAMES), dataset_meta=dict(schema=SCHEMA))
    optimizer = dict(state={0: dict(momentum_buffer=torch.rand(4))}, param_groups=[{}])
    whole = dict(
        meta=meta,
        state_dict=state,
        optimizer=optimizer,
        message_hub=dict(log_scalars=dict(loss=log), runtime_info=dict(a=np.ones(3))),
        scores=[np.float32(0.5), np.array([1, 2], np.int8)],
    )
    archives = [_saved(content) for content in (state, whole)]
    before_16 = dict(_use_new_zipfile_serialization=False)
    legacy = [_saved(content, **before_16) for content in (state, whole)]
    return [
        *_seeds(archives, ".pth", mutate_zip, lambda path: load_from_local(str(path))),
        *_seeds(legacy, ".pth", mutate_bytes, lambda path: load_from_local(str(path))),
    ]


def _saved(content: Any, **more: Any) -> bytes:
    target = io.BytesIO()
    torch.save(content, target, **more)
    return target.getvalue()


def _mat(write: Callable[[Path, dict[str, Any]], Any]) -> list[Seed]:
    """Releases as ``write`` writes their fields."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        rows = {part: generated_rows(3) for part in ("train", "val", "test")}
        write_pa100k_release(root, rows, None)
        write_rapv1_release(root / "1", 5)
        write_rapv2_release(root / "2", 5)
        rap = "RAP_annotation/RAP_annotation.mat"
        uses: list[tuple[dict[str, Any], Callable[[Path], None]]] = [
            (_fields(root / "annotation.mat"), partial(_read_release, kind=PA100K)),
            (peta_fields(10), partial(_read_release, kind=PETA, schema="all")),
            (
                _fields(root / "1" / rap),
                partial(_read_release, kind=RAPv1, split="trainval"),
            ),
            (_fields(root / "2" / rap), partial(_read_release, kind=RAPv2)),
        ]
        if write is not _write_73:
            fields = _fields(_write_market(root / "market.mat"))
            uses.append((fields, _read_identities))
        found = []
        for fields, read in uses:
            write(root / "whole.mat", fields)
            content = (root / "whole.mat").read_bytes()
            found += _seeds([content], ".mat", mutate_bytes, read)
    return found


def _fields(path: Path) -> dict[str, Any]:
    """As ``savemat`` takes them: structs as dicts, so that every writer can."""
    found = scipy.io.loadmat(str(path), simplify_cells=False)
    return {n: _plain(value) for n, value in found.items() if not n.startswith("__")}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.names:
        element = value.ravel()[0]
        return {name: _plain(element[name]) for name in value.dtype.names}
    if isinstance(value, np.ndarray) and value.dtype == object:
        cells = np.empty(value.shape, object)
        cells.ravel()[:] = [_plain(cell) for cell in value.ravel()]
        return cells
    if isinstance(value, np.ndarray) and value.dtype.kind == "U":
        return str(value.ravel()[0]) if value.size else ""
    return value


def _write_market(path: Path) -> Path:
    classes = Market1501Attribute.MULTI_CLASS["age"]
    fields = ["age", *(n for n in SCHEMAS["market1501"].names if n not in classes)]
    values = {name: [1, 2] for name in fields}
    parts = {part: (["0002", "0007"], values) for part in ("train", "test")}
    write_attributes(path, "market_attribute", parts)
    return path


def _write_73(path: Path, fields: dict[str, Any]) -> None:
    write_mat73(path, fields)


def _write_packed(path: Path, fields: dict[str, Any]) -> None:
    scipy.io.savemat(path, fields, do_compression=True)


def _pickles() -> list[Seed]:
    schema = SCHEMAS["peta"]
    images = [f"{i:05}.png" for i in range(1, 9)]
    entries = common_entries(schema, images, partitions=5)
    objects = {**entries, "label": entries["label"].tolist(), "x": {1, 2}, "y": b"abc"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "easydict.pkl"
        contents = [
            *(write_easydict(path, entries, p).read_bytes() for p in (2, 4)),
            pickle.dumps(objects, 0),
            pickle.dumps(objects, 4),
        ]
    read = partial(_read_release, kind=PETA)
    read_msp = partial(_read_release, kind=MSP60K, schema="all")
    return [
        *_seeds(contents, ".pkl", mutate_bytes, read),
        *_seeds(contents[:1], ".pkl", mutate_bytes, read_msp),
    ]


def _openmmlab() -> list[Seed]:
    """OpenMMLab's annotation files, and the lists that mmpar had before."""
    further = [
        dict(person_id=i, split="train", partition=0, box=[1, 2.5]) for i in range(6)
    ]
    scores = [
        dict(img_path=path, gt_score=[i % 2, None, "?"], **more)
        for i, (path, more) in enumerate(zip(PATHS, further))
    ]
    places = [dict(img_path=path, gt_label=[0, 2]) for path in PATHS]
    metainfo = dict(classes=NAMES, schema=dict(groups=dict(head=["Hat"])))
    images = [dict(path=path, labels=dict(zip(NAMES, [1, 0, 1]))) for path in PATHS]
    contents = [
        dict(metainfo=metainfo, data_list=scores),
        dict(metainfo=dict(classes=NAMES), data_list=places),
        dict(attributes=NAMES, groups=dict(head=["Hat"]), images=images),
    ]
    return _seeds(
        (json.dumps(content).encode() for content in contents),
        ".json",
        mutate_json,
        _read_list,
        partial(_read_list, one_hot=["Hat"]),
        partial(_read_release, kind=PETA, schema=SCHEMA),
        beside=IMAGES,
    )


def _json_lines() -> list[Seed]:
    schema = dict(names=NAMES, groups=dict(head=["Hat"]), title="own")
    head = dict(format="mmpar-annotation-1", dataset="own", schema=schema)
    rows = [
        dict(path=p, labels=[1, 0, -1], split="train", partition=0, person_id=i)
        for i, p in enumerate(PATHS)
    ]
    lines = [dict(head, parts=[["train", 0]]), *rows]
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    read_split = partial(_read_release, kind=PETA, schema=SCHEMA)
    return _seeds(
        [content],
        ".jsonl",
        mutate_json_line,
        _read_list,
        read_split,
        beside=IMAGES,
    )


def _wider() -> list[Seed]:
    content = json.dumps(wider_json(generated_persons("train", 3, 0))).encode()
    read = partial(_read_release, kind=WIDERAttribute)
    return _seeds([content], ".json", mutate_json, read)


def _crops() -> list[Seed]:
    names = SCHEMAS["wider"].names
    beside = {
        "attr_name.txt": "\n".join(names).encode(),
        "trainval_name.txt": b"a.jpg\nb.jpg\n",
    }
    rows = "".join(f"{[(i + k) % 3 - 1 for i in range(14)]}\n" for k in range(2))
    read = partial(_read_release, kind=WIDERAttribute, split="trainval")

    def read_labels(path: Path) -> None:
        (path.parent / "trainval_gt_label.txt").write_bytes(path.read_bytes())
        read(path.parent / "trainval_gt_label.txt")

    return _seeds([rows.encode()], "/x", mutate_text, read_labels, beside=beside)


def _coco_boxes() -> list[Seed]:
    content = dict(
        images=[
            dict(id=i, file_name=p, width=60, height=80) for i, p in enumerate(PATHS)
        ],
        categories=[dict(id=i, name=name) for i, name in enumerate(NAMES)],
        annotations=[
            dict(image_id=i % 3, category_id=i % 3, bbox=[1, 2.5, 30, 40])
            for i in range(4)
        ],
    )
    return _seeds([json.dumps(content).encode()], ".json", mutate_json, _read_boxes)


def _coco_keypoints() -> list[Seed]:
    people = [
        dict(
            image_id=i, category_id=1, keypoints=[5, 6.5, 2] * 17, score=0.5,
            bbox=[1, 2, 3, 4], area=12.0,
        )
        for i in range(4)
    ]  # fmt: skip
    images = [dict(id=i, file_name=path) for i, path in enumerate(PATHS)]
    contents = [
        [dict(person, image_id=PATHS[i]) for i, person in enumerate(people)],
        dict(images=images, annotations=people),
    ]
    return _seeds(
        (json.dumps(content).encode() for content in contents),
        ".json",
        mutate_json,
        lambda path: read_coco_keypoints(path, PATHS),
    )


def _csv() -> list[Seed]:
    rows = ["path,Hat,Boots,Ärmel,person_id,split,age"]
    rows += [f'"{p}",{i % 2},,1.0,{i},train,old' for i, p in enumerate(PATHS)]
    content = "\r\n".join(rows).encode()
    plain = content.replace(b"old", b"1").replace(b"\r", b"")
    return _seeds(
        [content], ".csv", mutate_text, partial(_read_list, one_hot=["age"]),
        beside=IMAGES,
    ) + _seeds([plain], ".csv", mutate_text, _read_list, beside=IMAGES)  # fmt: skip


def _txt() -> list[Seed]:
    blanks = "# a comment\n" + "".join(f"{path} 0 1 -1\n" for path in PATHS)
    commas = "".join(f"{path}\t0,1,1,\n" for path in PATHS)
    plain = "".join(f"{path} 0 1 1\n" for path in PATHS)
    contents = [text.encode() for text in (blanks, commas, plain)]
    read = partial(_read_list, schema=SCHEMA)
    return _seeds(contents, ".txt", mutate_text, read, beside=IMAGES)


def _peta_labels() -> list[Seed]:
    rows = b"1 lowerBodyJeans hairLong\n2 upperBodyCasual footwearSneakers\n"
    images = {"1_a.bmp": b"", "1_b.bmp": b"", "2_a.bmp": b""}

    def read(path: Path) -> None:
        (path.parent / "Label.txt").write_bytes(path.read_bytes())
        for source in FOLDERS[1:]:
            other = path.parents[1] / source
            if not other.exists():
                other.mkdir()
                (other / "Label.txt").write_text("1\n")
        read_peta_folders(path.parents[1], [3] + [0] * 9)

    return [Seed(f"{NAME}/{FOLDERS[0]}/x", rows, mutate_text, read, images)]


def _keypoint_array() -> list[Seed]:
    target = io.BytesIO()
    np.save(target, np.random.default_rng(0).random((len(PATHS), 17, 3), np.float32))
    array, paths = target.getvalue(), "".join(f"{p}\n" for p in PATHS).encode()
    listed = {f"{NAME}.paths.txt": paths}
    return [
        *_seeds([array], ".npy", mutate_bytes, _read_keypoints, beside=listed),
        *_seeds(
            [paths],
            ".paths.txt",
            mutate_text,
            _read_keypoints,
            beside={f"{NAME}.npy": array},
        ),
    ]


def _write_images(folder: Path) -> None:
    for i, name in enumerate(PATHS):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([i]) * 300)


def _zip() -> list[Seed]:
    stored, deflated = io.BytesIO(), io.BytesIO()
    for target, method in ((stored, 0), (deflated, 8)):
        with zipfile.ZipFile(target, "w", method) as archive:
            for i, name in enumerate(PATHS):
                archive.writestr(zipfile.ZipInfo(name), bytes([i]) * 300, method)
    contents = [stored.getvalue(), deflated.getvalue()]
    read = partial(_read_archive, opened=ZipImageBackend)
    return _seeds(contents, ".zip", mutate_bytes, read)


def _lmdb() -> list[Seed]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _write_images(root / "images")
        (root / "images" / "long.jpg").write_bytes(bytes(9000))
        pack(root / "images", [*PATHS, "long.jpg"], root / "whole.lmdb")
        content = (root / "whole.lmdb" / "data.mdb").read_bytes()
    return [Seed(f"{NAME}.lmdb/data.mdb", content, mutate_bytes, _read_lmdb)]


def _images() -> list[Seed]:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (40, 24, 3), dtype=np.uint8)
    noise[8:32] //= 64
    image = Image.fromarray(noise)
    exif = Image.Exif()
    exif[0x0112] = 6
    grey16 = Image.fromarray(noise[..., 0].astype(np.uint16) * 200)
    contents: list[tuple[str, bytes, Mutation]] = [
        (".jpg", _encoded(image, "JPEG", exif=exif.tobytes()), mutate_bytes),
        (".jpg", _encoded(image, "JPEG", progressive=True), mutate_bytes),
        (".png", _encoded(image, "PNG"), mutate_png),
        (".png", _encoded(image.convert("P"), "PNG"), mutate_png),
        (".png", _encoded(grey16, "PNG"), mutate_png),
        (".webp", _encoded(image, "WEBP"), mutate_bytes),
        (".bmp", _encoded(image, "BMP"), mutate_bytes),
        (".gif", _encoded(image, "GIF"), mutate_bytes),
        (".tif", _encoded(image, "TIFF"), mutate_bytes),
        (".ppm", _encoded(image, "PPM"), mutate_bytes),
    ]
    cv2.setNumThreads(0)
    reads = (_read_image, partial(_read_image, imdecode_backend="pillow"), upright_size)
    reads += (lambda path: read_image(str(path)),)  # where torch is not installed
    return [
        Seed(f"{NAME}{ending}", content, mutate, read)
        for ending, content, mutate in contents
        for read in reads
    ]


def _encoded(image: Image.Image, form: str, **more: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, form, **more)
    return target.getvalue()


READERS: dict[str, Callable[[], list[Seed]]] = {
    "checkpoint": _checkpoint,
    "mat5": lambda: [*_mat(scipy.io.savemat), *_mat(_write_packed)],
    "mat73": lambda: _mat(_write_73),
    "pickle": _pickles,
    "json-openmmlab": _openmmlab,
    "json-lines": _json_lines,
    "json-wider": _wider,
    "json-boxes": _coco_boxes,
    "json-keypoints": _coco_keypoints,
    "csv": _csv,
    "txt": _txt,
    "txt-crops": _crops,
    "txt-peta": _peta_labels,
    "keypoint-array": _keypoint_array,
    "zip": _zip,
    "lmdb": _lmdb,
    "image": _images,
}
"""Name to what makes the whole files."""
