"""What files of an attacker do: nothing runs, nothing grows, nothing takes long."""

import json
import os
import struct
import subprocess
import time
import zlib

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

from mmpar.apis.prediction_files import read_lines, writer_of
from mmpar.datasets import AttributeListDataset
from mmpar.datasets.formats.files import parse_json
from mmpar.datasets.keypoints.pose_model import PoseModel
from mmpar.datasets.transforms import LoadPersonImage
from mmpar.deploy.preprocessing import read_image
from mmpar.structures import AttributeSchema, Preprocessing, plain_data
from mmpar.utils.config_data import MAX_BYTES, ConfigCodeError, parse_config_data
from mmpar.utils.feature_cache import FeatureCache, FeatureCacheWriter
from mmpar.utils.image_headers import upright_size
from mmpar.utils.training_logs import read_training_log

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n%%EOF"
READ_IMAGE = {
    "opencv": lambda path: LoadPersonImage()(dict(img_path=path)),
    "pillow": lambda path: LoadPersonImage(imdecode_backend="pillow")(
        dict(img_path=path)
    ),
    "without torch": read_image,
    "size": upright_size,
}


@pytest.mark.parametrize("how", READ_IMAGE)
def test_a_program_in_the_place_of_an_image_is_not_run(tmp_path, monkeypatch, how):
    ran = []

    def run(*args, **kwargs):
        ran.append(args)
        raise OSError

    for name in ("Popen", "check_call", "run"):
        monkeypatch.setattr(subprocess, name, run)
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)  # as if not looked for yet
    for name in ("x.jpg", "x.eps"):
        (tmp_path / name).write_bytes(EPS)
        with pytest.raises(ValueError, match="not a readable image"):
            READ_IMAGE[how](str(tmp_path / name))
    assert not ran


def png_bomb(side):
    """Black, of a few bytes for each row."""

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body))
            + kind
            + body
            + struct.pack(">I", zlib.crc32(kind + body))
        )

    packer = zlib.compressobj(9)
    row = bytes(1 + side // 8)
    rows = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in chunks)


@pytest.mark.parametrize("how", READ_IMAGE)
@pytest.mark.parametrize("kind", ["PNG", "GIF", "TIFF", "WEBP", "JPEG"])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(
    tmp_path, monkeypatch, how, kind
):
    """The limit is Pillow's; here it is low, so that no large image is made."""
    path = str(tmp_path / "bomb")
    Image.new("L", (2000, 1000)).save(path, kind)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 900_000)
    monkeypatch.setattr(Image.Image, "load", pytest.fail)
    with pytest.raises(ValueError, match=r"bomb .*(pixels|bomb)"):
        READ_IMAGE[how](path)


def test_400_million_pixels_cost_no_memory(tmp_path):
    content = png_bomb(20_000)
    assert len(content) < 100_000
    (tmp_path / "bomb.png").write_bytes(content)
    for how in ("opencv", "pillow", "without torch"):
        begun = time.process_time()
        with pytest.raises(ValueError, match="20000 x 20000 pixels; at most 89,478,48"):
            READ_IMAGE[how](str(tmp_path / "bomb.png"))
        assert time.process_time() - begun < 1


def test_thousands_of_columns_are_read_in_linear_time(tmp_path):
    names = [f"a{i}" for i in range(3000)]
    rows = [",".join(("path", *names)), ",".join(("x.jpg", *"1" * 3000))]
    (tmp_path / "wide.csv").write_text("\n".join(rows))
    begun = time.process_time()
    dataset = AttributeListDataset(
        ann_file=str(tmp_path / "wide.csv"), missing_images="ignore"
    )
    assert dataset[0]["gt_score"].sum() == 3000
    assert time.process_time() - begun < 10  # it took minutes


def test_thousands_of_repeated_names_are_found_in_linear_time():
    names = [f"a{i}" for i in range(10_000)]
    text = json.dumps(dict.fromkeys(names, 1))[:-1] + ', "a0": 1}'
    given = (*names[: MAX_BYTES // 16], "a0")
    config = f"a = {{{', '.join(f'{name!r}: 1' for name in given)}}}"
    begun = time.process_time()
    with pytest.raises(ValueError, match=r"repeated keys \['a0'\]"):
        plain_data.parse_json(text, "x")
    with pytest.raises(ValueError, match=r"repeats \['a0'\]"):
        AttributeSchema((*names, "a0"))
    with pytest.raises(ConfigCodeError, match="'a0' is given twice"):
        parse_config_data(config, "x")
    assert time.process_time() - begun < 10


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "-" * 100_000 + "1",
        "not " * 100_000 + "1",
        "+".join("1" * 90_000),
        "-" * (MAX_BYTES - 5) + "1",  # the deepest that a parser is given
    ],
)
def test_a_config_nested_100_000_deep_is_refused(text):
    too_long = len(text) > MAX_BYTES  # for Python before 3.11
    match = "no training writes" if too_long else r"deep|nested|not plain data"
    with pytest.raises(ConfigCodeError, match=match):
        parse_config_data(f"a = {text}", "x")


@pytest.mark.parametrize("parse", [parse_json, plain_data.parse_json])
def test_json_nested_100_000_deep_or_with_endless_numbers_is_refused(parse):
    for text in ("[" * 100_000 + "]" * 100_000, '{"a":' * 100_000, "9" * 400):
        with pytest.raises(ValueError, match="x"):
            parse(text, "x")


def test_numbers_that_no_float_holds_are_no_normalization():
    fields = dict(width=2, height=2, resize="cv2", interpolation="bilinear")
    with pytest.raises(ValueError, match=r"preprocessing\.mean"):
        Preprocessing(
            **fields, mean=(10**400, 0, 0), std=(1, 1, 1), to_rgb=True, use_exif=True
        )


@pytest.mark.parametrize("shape", [(1, 3, 2**30, 8), (1, 3, 0, 8), (2**30, 3, 8, 8)])
def test_a_pose_model_for_images_of_gigabytes_is_refused(tmp_path, shape):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["x"], ["y"])],
        "pose",
        [value("x", 1, shape)],
        [value("y", 1, shape)],
    )
    opset = [onnx.helper.make_opsetid("", 17)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=8)
    onnx.save(model, str(tmp_path / "pose.onnx"))
    with pytest.raises(ValueError, match=r"pose\.onnx .*1 to 4096"):
        PoseModel(tmp_path / "pose.onnx")


def test_damaged_rows_of_answers_are_refused_by_file_and_line(tmp_path):
    (tmp_path / "x.jsonl").write_bytes(b'{"img_path": 1}\n')
    with pytest.raises(ValueError, match=r"x\.jsonl, line 1: .*delete the file"):
        read_lines(tmp_path / "x.jsonl")


def test_half_a_character_in_an_answer_is_written_as_an_escape(tmp_path):
    names = ("scores", "texts", "answers", "reasons", "quality")
    row = {name: {} for name in names}
    row |= dict(img_path=None, id=1, box=None, error=None, present=[])
    row["answers"] = {"Hat": "\ud800"}
    (tmp_path / "x.jsonl").write_text(json.dumps(row) + "\n")
    columns = [("answer", "Hat")]
    writer_of("x.csv")([tmp_path / "x.jsonl"], tmp_path / "x.csv", columns)
    assert r"\ud800" in (tmp_path / "x.csv").read_text()


@pytest.mark.parametrize("row", ["9" * 30, "3", "1.5", "x"])
def test_row_numbers_that_are_none_are_refused_by_file(tmp_path, row):
    (tmp_path / "list.csv").write_text("path,Hat\na.jpg,1\n")
    (tmp_path / "rows.txt").write_text(row)
    with pytest.raises(ValueError, match=r"rows\.txt"):
        AttributeListDataset(
            ann_file=str(tmp_path / "list.csv"),
            missing_images="ignore",
            indices=str(tmp_path / "rows.txt"),
        )


@pytest.mark.parametrize("name", ["cache.json", "features.npy", "keys.bin"])
@pytest.mark.parametrize("content", [b"", b"[]", b"\xff" * 64])
def test_a_damaged_cache_of_features_is_refused_by_name(tmp_path, name, content):
    writer = FeatureCacheWriter(tmp_path / "cache", {}, [bytes(16), b"x" * 16])
    writer.append(np.ones((2, 3)))
    FeatureCache(tmp_path / "cache", {})
    (tmp_path / "cache" / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"{tmp_path}/cache.*cache"):
        FeatureCache(tmp_path / "cache", {})


@pytest.mark.parametrize(
    "line", [b"\xff", b'{"step": 1e999}', b'{"step": 1, "loss": {}}', b"[" * 9999, b"1"]
)
def test_a_damaged_log_is_refused_by_file_and_line(tmp_path, line):
    file = tmp_path / "1/vis_data/scalars.json"
    file.parent.mkdir(parents=True)
    file.write_bytes(b'{"step": 1, "loss": 0.5}\n' + line + b"\n")
    with pytest.raises(ValueError, match=r"scalars\.json, line 2: .*no entry of a log"):
        read_training_log(tmp_path)


@pytest.mark.parametrize("path", ["../out.jpg", "/etc/hostname", "link/hostname"])
def test_the_current_folder_is_an_image_folder_too(tmp_path, monkeypatch, path):
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    os.symlink("/etc", "link")
    for name in ("in.jpg", "../out.jpg"):
        (tmp_path / "in" / name).touch()
    (tmp_path / "in/list.csv").write_text(f"path,Hat\nin.jpg,1\n{path},1\n")
    with pytest.raises(ValueError, match=r"1 of 2 images .* outside the image folder"):
        AttributeListDataset(data_root=".", ann_file="list.csv")
