"""Images in a folder, a zip, an LMDB and on a server give the same samples."""

import functools
import http.server
import pickle
import threading
import tracemalloc
import zipfile
from concurrent.futures import ThreadPoolExecutor

import cv2
import lmdb
import numpy as np
import pytest
from mmengine import fileio
from torch.utils.data import DataLoader

from mmpar.datasets import (
    PA100K,
    UPAR,
    AttributeListDataset,
    LoadPersonImage,
    Market1501Attribute,
    SampleError,
    file_backends,
)
from mmpar.datasets.doctor.images import inspect
from mmpar.datasets.file_backends import LmdbImageBackend, ZipImageBackend, archive_of
from mmpar.datasets.packing import list_images, pack
from mmpar.datasets.preparing import prepare
from mmpar.structures import SCHEMAS
from tests.fixtures.identity_attributes import write_attributes, write_boxes
from tests.fixtures.pa100k import (
    generated_rows,
    write_images,
    write_pa100k_release,
)

NAMES = [f"cam{i % 2}/{i}.{'png' if i % 5 else 'jpg'}" for i in range(20)]
STRANGE = "cam0/zwölf 12.png"


@pytest.fixture
def folder(tmp_path):
    """Twenty images, none like another, and a list of them."""
    rng = np.random.default_rng(0)
    for name in [*NAMES, STRANGE]:
        file = tmp_path / "images" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), rng.integers(0, 256, (16, 8, 3), np.uint8))
    lines = [f"{name} {i % 2} 1" for i, name in enumerate(NAMES)]
    (tmp_path / "list.txt").write_text("\n".join(lines))
    return tmp_path / "images"


def packed(folder, ending):
    out = folder.parent / f"images.{ending}"
    pack(folder, list_images(folder)[0], out)
    return out


def in_zip(file):
    return dict(backend_args=dict(backend="zip", zip_path=str(file)))


def in_lmdb(file):
    return dict(backend_args=dict(backend="mmpar_lmdb", db_path=str(file)))


def listed(folder, backend_args=None, ann_file="list.txt", **kwargs):
    load = dict(type="LoadPersonImage", backend_args=backend_args)
    return AttributeListDataset(
        data_root=str(folder.parent),
        ann_file=ann_file,
        schema=dict(names=["Hat", "Bag"]),
        backend_args=backend_args,
        pipeline=[load],
        **kwargs,
    )


def samples_of(dataset):
    """As two forked workers give them, after this process has read one itself."""
    _ = dataset[0]
    loader = DataLoader(
        dataset, batch_size=3, num_workers=2, collate_fn=list, shuffle=False
    )
    return [sample for batch in loader for sample in batch]


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Nothing."""


@pytest.fixture
def server(folder):
    """The address of the folder."""
    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_all_roots_give_the_same_samples(folder, server):
    roots = {
        "zip": listed(folder, **in_zip(packed(folder, "zip"))),
        "lmdb": listed(folder, **in_lmdb(packed(folder, "lmdb"))),
        "http": listed(folder, data_prefix=server, backend_args=dict(backend="http")),
        "address": listed(folder, data_prefix=server),
    }
    expected = [cv2.imread(str(folder / name)) for name in NAMES]
    for name, dataset in roots.items():
        samples = samples_of(dataset)
        assert [s["sample_idx"] for s in samples] == list(range(20)), name
        assert [s["gt_score"][0] for s in samples] == [i % 2 for i in range(20)]
        for sample, image in zip(samples, expected):
            np.testing.assert_array_equal(sample["img"], image, err_msg=name)


def test_an_image_that_the_server_lacks_is_named(folder, server):
    (folder / NAMES[3]).unlink()
    dataset = listed(folder, data_prefix=server)
    with pytest.raises(SampleError, match=f"sample 3, {server}/{NAMES[3]}.*404"):
        _ = dataset[3]


@pytest.mark.parametrize("deflated", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_of_another_program_is_read(folder, deflated):
    file = folder.parent / "other.zip"
    with zipfile.ZipFile(file, "w", deflated) as archive:
        archive.mkdir("cam0") if hasattr(archive, "mkdir") else None
        for name in [*NAMES, STRANGE]:
            archive.write(folder / name, f"prefix/{name}")
    file.write_bytes(b"a program that unpacks itself" + file.read_bytes())
    backend = pickle.loads(pickle.dumps(ZipImageBackend(file)))
    for name in [*NAMES, STRANGE]:
        assert backend.get(f"prefix/{name}") == (folder / name).read_bytes()
    assert listed(folder, data_prefix="prefix", **in_zip(file))[19]["img"].any()


@pytest.mark.parametrize(("ending", "root"), [("zip", in_zip), ("lmdb", in_lmdb)])
def test_names_of_any_language_are_kept(folder, ending, root):
    backend_args = root(packed(folder, ending))["backend_args"]
    assert fileio.get(STRANGE, backend_args) == (folder / STRANGE).read_bytes()


@pytest.mark.parametrize(("ending", "root"), [("zip", in_zip), ("lmdb", in_lmdb)])
def test_missing_images_are_found_before_the_first_is_read(folder, ending, root):
    (folder / NAMES[3]).unlink()
    (folder / NAMES[7]).unlink()
    archive = packed(folder, ending)
    said = f"2 of 20 images listed.*first: {NAMES[3]}"
    with pytest.raises(FileNotFoundError, match=said):
        listed(folder, **root(archive))
    with pytest.warns(UserWarning, match="2 of 20"):
        dataset = listed(folder, missing_images="drop", **root(archive))
    assert len(dataset) == 18
    with pytest.raises(FileNotFoundError, match=f"{archive.name} has no .*{NAMES[3]}"):
        fileio.get(NAMES[3], root(archive)["backend_args"])


@pytest.mark.parametrize(("ending", "root"), [("zip", in_zip), ("lmdb", in_lmdb)])
def test_what_is_not_an_archive_is_named(folder, ending, root):
    where = folder.parent / f"images.{ending}"
    with pytest.raises(FileNotFoundError, match=rf"images\.{ending}.*check backend_a"):
        listed(folder, **root(where))
    where.write_text("neither")
    with pytest.raises(ValueError, match=rf"images\.{ending}"):
        listed(folder, **root(where))


def test_faulty_members_are_named(folder):
    file = packed(folder, "zip")
    whole = file.read_bytes()
    image = (folder / NAMES[3]).read_bytes()
    start = whole.index(image)
    file.write_bytes(whole[: start + 9] + b"?" + whole[start + 10 :])
    with pytest.raises(ValueError, match=rf"{NAMES[3]} in .*images\.zip.*damaged"):
        ZipImageBackend(file).get(NAMES[3])
    assert ZipImageBackend(file).get(NAMES[4]) == (folder / NAMES[4]).read_bytes()

    flags = whole.index(b"PK\1\2") + 8  # of the first member, in the directory
    file.write_bytes(whole[:flags] + b"\1" + whole[flags + 1 :])
    with pytest.raises(ValueError, match=rf"{NAMES[0]} in .*it is encrypted"):
        ZipImageBackend(file).get(NAMES[0])

    with zipfile.ZipFile(file, "w", zipfile.ZIP_BZIP2) as archive:
        archive.write(folder / NAMES[0], NAMES[0])
    with pytest.raises(ValueError, match=rf"{NAMES[0]} in .*method 12"):
        ZipImageBackend(file).get(NAMES[0])


def test_a_damaged_directory_is_named(folder):
    file = packed(folder, "zip")
    content = bytearray(file.read_bytes())
    place = content.index(b"PK\5\6") + 16  # of the directory
    content[place : place + 4] = b"\xff\xff\xff\x7f"
    file.write_bytes(bytes(content))
    with pytest.raises(ValueError, match=r"images\.zip .*its directory gives"):
        ZipImageBackend(file).missing(NAMES)


def test_the_doctor_names_damaged_members(folder):
    file = packed(folder, "zip")
    content = file.read_bytes()
    image = (folder / NAMES[3]).read_bytes()
    file.write_bytes(content.replace(image, image[:-1] + b"x"))
    backend_args = in_zip(file)["backend_args"]
    assert inspect(NAMES[3], backend_args).fault == "unreadable"
    assert inspect(NAMES[4], backend_args).fault == ""


def test_a_damaged_lmdb_is_named(folder):
    file = packed(folder, "lmdb") / "data.mdb"
    content = bytearray(file.read_bytes())
    for start in range(2 * 4096, len(content), 4096):  # after the two pages of its own
        content[start + 10 : start + 12] = b"\xff\xff"  # the page's kind
    file.write_bytes(bytes(content))
    database = LmdbImageBackend(str(file.parent))
    for read in (lambda: database.missing(NAMES), lambda: list(database.names())):
        with pytest.raises(ValueError, match=r"images\.lmdb/data\.mdb") as error:
            read()
        assert error.type is ValueError


def test_half_an_lmdb_is_refused(folder):
    """Reading past the end of its file would end the process."""
    file = packed(folder, "lmdb") / "data.mdb"
    size = file.stat().st_size
    for cut in (size // 2, size - 1, size - 4096):
        with file.open("rb+") as data:
            data.truncate(cut)
        with pytest.raises(ValueError, match=rf"data\.mdb .* damaged.* has {cut} "):
            LmdbImageBackend(str(file.parent)).get(NAMES[0])


def test_a_member_that_unpacks_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(file_backends, "_MAX_IMAGE_BYTES", 10_000)
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("whole.png", bytes(10_000))
        file.writestr("bomb.png", bytes(1_000_000))
    root = ZipImageBackend(tmp_path / "x.zip")
    assert root.get("whole.png") == bytes(10_000)
    with pytest.raises(ValueError, match=r"bomb\.png in .*x\.zip: it unpacks to over"):
        root.get("bomb.png")


def test_a_member_larger_than_it_says_is_damaged(tmp_path):
    """What it unpacks to beyond that is not kept."""
    file = tmp_path / "x.zip"
    for stored in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(file, "w", stored) as archive:
            archive.writestr("bomb.png", bytes(30_000_000))
        content = bytearray(file.read_bytes())
        place = content.rindex(b"PK\1\2") + 24  # its size, in the directory
        for size in (0, 1, 5000):
            content[place : place + 4] = size.to_bytes(4, "little")
            file.write_bytes(content)
            tracemalloc.start()
            with pytest.raises(
                ValueError, match=r"bomb\.png in .*x\.zip is damaged: .*Bad CRC"
            ):
                ZipImageBackend(file).get("bomb.png")
            assert tracemalloc.get_traced_memory()[1] < 10_000_000
            tracemalloc.stop()


def test_mmengines_own_lmdb_is_left_as_it_is_and_refused(folder):
    backend_args = dict(backend="lmdb", db_path=str(packed(folder, "lmdb")))
    with pytest.raises(ValueError, match="write backend='mmpar_lmdb'"):
        listed(folder, backend_args=backend_args)
    with pytest.raises(ValueError, match="write backend='mmpar_lmdb'"):
        LoadPersonImage(backend_args=backend_args)
    backend = fileio.get_file_backend("", backend_args=backend_args)
    assert type(backend) is fileio.LmdbBackend


@pytest.mark.parametrize("name", ["", "x" * 512, "ä" * 300])
def test_a_name_that_no_lmdb_can_have_is_a_missing_image(folder, name):
    database = LmdbImageBackend(str(packed(folder, "lmdb")))
    np.testing.assert_array_equal(database.missing([NAMES[0], name]), [1])
    with pytest.raises(FileNotFoundError, match="has no image"):
        database.get(name)


def test_the_last_of_two_members_of_one_name_counts(tmp_path):
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.jpg", b"first")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.jpg", b"second")
    assert ZipImageBackend(tmp_path / "two.zip").get("a.jpg") == b"second"


def test_threads_share_a_zip(folder):
    backend = ZipImageBackend(packed(folder, "zip"))

    def read(_):
        return [n for n in NAMES * 20 if backend.get(n) != (folder / n).read_bytes()]

    for _ in range(10):  # the first image opens the file
        backend = ZipImageBackend(backend.zip_path)
        with ThreadPoolExecutor(8) as pool:
            assert not any(pool.map(read, range(8)))


def test_a_packed_release_needs_only_the_backend(tmp_path):
    root = tmp_path / "pa100k"
    rows = generated_rows(6)
    parts = dict(train=rows[:2], val=rows[2:4], test=rows[4:])
    write_pa100k_release(root, parts)
    plain = PA100K(data_root=str(root), split="val", pipeline=[load := _load()])
    names, others, _ = list_images(root)
    assert dict(others) == {".mat": 1}
    pack(root, names, tmp_path / "pa100k.zip")
    backend_args = in_zip(tmp_path / "pa100k.zip")["backend_args"]
    zipped = PA100K(
        data_root=str(root),
        split="val",
        backend_args=backend_args,
        pipeline=[{**load, "backend_args": backend_args}],
    )
    for one, other in zip(plain, zipped):
        np.testing.assert_array_equal(one["img"], other["img"])
        np.testing.assert_array_equal(one["gt_score"], other["gt_score"])


@pytest.mark.parametrize(("ending", "root"), [("zip", in_zip), ("lmdb", in_lmdb)])
@pytest.mark.parametrize("prefix", ["", "."])
def test_a_packed_market1501_needs_only_the_backend(tmp_path, ending, root, prefix):
    part = (["0002"], {"age": [1], **{n: [2] for n in _market_fields()}})
    write_attributes(
        tmp_path / "market/market_attribute.mat",
        "market_attribute",
        dict(train=part, test=part),
    )
    boxes = ["0002_c1s1_000451_03.jpg", "-1_c1s1_1_01.jpg", "0002_c3s1_1_00.jpg"]
    for folder in ("bounding_box_train", "bounding_box_test", "query"):
        write_boxes(tmp_path / "market", folder, boxes)
    market = str(tmp_path / "market")
    prepare(Market1501Attribute, [0], market, data_root=market)
    out = tmp_path / f"market.{ending}"
    pack(tmp_path / "market", list_images(tmp_path / "market")[0], out)
    kwargs = dict(data_root=market, split="test")
    expected = list(Market1501Attribute(**kwargs).table.paths)
    assert len(expected) == 2
    for file in ("market_attribute.mat", "annotation.json"):
        zipped = Market1501Attribute(
            **kwargs, ann_file=file, data_prefix=prefix, **root(out)
        )
        assert [zipped.get_data_info(i)["img_path"] for i in range(2)] == expected
    with pytest.raises(FileNotFoundError, match="no image below 'a/bounding_box"):
        Market1501Attribute(**kwargs, data_prefix="a", **root(out))


def _market_fields():
    return [n for n in SCHEMAS["market1501"].names if not n.startswith("age-")]


def test_a_packed_upar_needs_only_the_backend(tmp_path):
    write_images(tmp_path / "upar/PETA", ["1.jpg", "2.jpg"])
    names = SCHEMAS["upar"].names
    rows = [",".join([f"PETA/{i}.jpg", *["1"] * len(names)]) for i in (1, 2)]
    lines = [",".join(["path", *names]), *rows]
    (tmp_path / "upar/train.csv").write_text("\n".join(lines))
    out = tmp_path / "upar.zip"
    pack(tmp_path / "upar", list_images(tmp_path / "upar")[0], out)
    kwargs = dict(data_root=str(tmp_path / "upar"), split="train", ann_file="train.csv")
    zipped = UPAR(**kwargs, **in_zip(out))
    assert zipped.get_data_info(1)["img_path"] == "PETA/2.jpg"
    assert zipped.get_data_info(1)["domain"] == "PETA"


def _load():
    return dict(type="LoadPersonImage")


def test_an_archive_is_read_once_for_all(folder):
    backend_args = in_zip(packed(folder, "zip"))["backend_args"]
    assert archive_of(backend_args) is archive_of(dict(backend_args))
    assert archive_of(dict(backend="http")) is None
    assert archive_of(None) is None


def test_the_map_of_an_lmdb_grows(folder, monkeypatch):
    monkeypatch.setattr("mmpar.datasets.packing._FIRST_MAP_SIZE", 16_384)
    monkeypatch.setattr("mmpar.datasets.packing._IMAGES_PER_TRANSACTION", 3)
    with lmdb.open(str(packed(folder, "lmdb")), readonly=True, lock=False) as database:
        assert database.info()["map_size"] > 16_384
        assert database.stat()["entries"] == 21
