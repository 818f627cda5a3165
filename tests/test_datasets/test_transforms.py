"""The pipeline from file to model input, boxes included."""

import io
import pickle
import time

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpretrain.structures import DataSample
from PIL import Image, ImageOps

from mmpar.datasets import PA100K, LoadPersonImage, PackPARInputs, RandomCrop
from mmpar.utils.image_headers import is_truncated_jpeg
from tests.fixtures.pa100k import generated_rows, write_pa100k_release

PIPELINE = [
    dict(type="LoadPersonImage"),
    dict(type="Resize", scale=(192, 256), keep_ratio=False),
    dict(type="RandomCrop", crop_size=(256, 192), padding=10),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackPARInputs"),
]


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    rows = {"train": generated_rows(13), "val": generated_rows(2, first=14)}
    return str(write_pa100k_release(tmp_path_factory.mktemp("pa100k"), rows))


@pytest.fixture(autouse=True)
def scope():
    init_default_scope("mmpar")


# --- the whole pipeline ---------------------------------------------------------------


@pytest.mark.parametrize("loading", ["LoadPersonImage", "LoadImageFromFile"])
def test_the_usual_pipeline_packs_an_input_and_its_labels(release, loading):
    pipeline = [dict(type=loading), *PIPELINE[1:]]
    dataset = PA100K(data_root=release, split="train", pipeline=pipeline)
    data = dataset[5]
    assert data["inputs"].shape == (3, 256, 192)
    assert data["inputs"].dtype == torch.uint8
    sample = data["data_samples"]
    assert isinstance(sample, DataSample)
    assert sample.gt_score.dtype == torch.float32
    assert sample.gt_score.tolist() == dataset.get_labels()[5].tolist()
    assert sample.metainfo["img_path"] == f"{release}/data/000006.jpg"
    assert sample.metainfo["sample_idx"] == 5
    assert sample.metainfo["ori_shape"] == (80, 30)
    assert tuple(sample.metainfo["img_shape"][:2]) == (256, 192)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_loader_of_the_runner_gives_every_sample_once(release, num_workers):
    loader = Runner.build_dataloader(
        dict(
            batch_size=4,
            num_workers=num_workers,
            sampler=dict(type="DefaultSampler", shuffle=True),
            dataset=dict(
                type="PA100K", data_root=release, split="train", pipeline=PIPELINE
            ),
        ),
        seed=0,
    )
    seen = {}
    for batch in loader:
        for image, sample in zip(batch["inputs"], batch["data_samples"]):
            assert image.shape == (3, 256, 192)
            seen[sample.sample_idx] = sample.gt_score.tolist()
    expected = dict(enumerate(loader.dataset.get_labels().tolist()))
    assert seen == expected


@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_broken_picture_stops_the_loader_with_its_name(tmp_path, num_workers):
    write_pa100k_release(tmp_path, {"train": generated_rows(4)})
    (tmp_path / "data/000003.jpg").write_bytes(b"nothing")
    dataset = PA100K(data_root=str(tmp_path), split="train", pipeline=PIPELINE)
    loader = torch.utils.data.DataLoader(
        dataset, batch_size=1, num_workers=num_workers, collate_fn=list
    )
    with pytest.raises(RuntimeError, match=r"sample 2, .*000003\.jpg.*not a readable"):
        list(loader)


# --- loading --------------------------------------------------------------------------


def jpeg(progressive=False):
    noise = np.random.default_rng(0).integers(0, 256, (90, 40, 3), dtype=np.uint8)
    flags = [cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)]
    return cv2.imencode(".jpg", noise, flags)[1].tobytes()


def load(tmp_path, content, **kwargs):
    (tmp_path / "x.jpg").write_bytes(content)
    return LoadPersonImage(**kwargs)(dict(img_path=str(tmp_path / "x.jpg")))


def test_a_whole_picture_is_what_opencv_decodes(tmp_path):
    results = load(tmp_path, jpeg())
    expected = cv2.imdecode(np.frombuffer(jpeg(), np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal(results["img"], expected)
    assert results["img_shape"] == results["ori_shape"] == (90, 40)


@pytest.mark.parametrize("backend", ["cv2", "pillow"])
@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_honoured_unless_told_otherwise(
    tmp_path, orientation, ending, backend
):
    # One dark corner, so that each of the eight orientations is another image.
    image = np.full((80, 32, 3), 220, np.uint8)
    image[:20, :8] = 20
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{ending}"
    Image.fromarray(image).save(path, exif=exif)
    with Image.open(path) as stored:
        upright = ImageOps.exif_transpose(stored).convert("RGB")
    for color_type, expected in [
        ("color", np.asarray(upright)),
        ("color_ignore_orientation", image),
    ]:
        load = LoadPersonImage(color_type=color_type, imdecode_backend=backend)
        results = load(dict(img_path=str(path)))
        assert results["ori_shape"] == expected.shape[:2]
        apart = np.abs(results["img"][..., ::-1].astype(int) - expected)
        assert apart.mean() < 5  # what a lossy format leaves; a corner elsewhere is 25


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.99])
def test_a_truncated_jpeg_is_refused(tmp_path, share, progressive):
    content = jpeg(progressive)
    with pytest.raises(ValueError, match=r"x\.jpg .* truncated JPEG"):
        load(tmp_path, content[: int(share * len(content))])


def test_a_truncated_jpeg_with_a_whole_thumbnail_is_refused():
    whole = jpeg()
    length = (len(jpeg()) + 2).to_bytes(2, "big")
    with_thumbnail = whole[:2] + b"\xff\xe1" + length + jpeg() + whole[2:]
    assert not is_truncated_jpeg(with_thumbnail)
    assert is_truncated_jpeg(with_thumbnail[:-40])


TRAILS = dict(
    line_break=b"\r\n\0\0",
    film=b"\0\0\0\x18ftypmp42" + np.random.default_rng(1).bytes(200_000),
    samsung=b"\0\0\x30\x0a\x10\0\0\0MotionPhoto_Data\xff\xda\0\x0cSEFHSEFT",
    image=jpeg(),
    torn_image=jpeg()[:-200],
    image_with_film=jpeg(progressive=True) + b"ftyp\xff\xda\xff\xd8",
)
"""What phones append: films (motion photos), Samsung's trailer, images of MPF."""


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("trail", TRAILS.values(), ids=TRAILS)
def test_bytes_after_the_end_of_a_jpeg_are_no_fault(tmp_path, trail, progressive):
    content = jpeg(progressive)
    image = load(tmp_path, content + trail)["img"]
    assert np.array_equal(image, load(tmp_path, content)["img"])


@pytest.mark.parametrize("progressive", [False, True])
def test_a_whole_image_after_a_torn_one_does_not_mend_it(tmp_path, progressive):
    with pytest.raises(ValueError, match=r"x\.jpg .* truncated JPEG"):
        load(tmp_path, jpeg(progressive)[:-200] + jpeg())
    large = b"\xff\xd8" + bytes(70_000) + b"\xff\xd9"
    assert is_truncated_jpeg(jpeg(progressive)[:-200] + large)


def test_a_jpeg_is_truncated_until_its_last_byte():
    options = dict(quality=50, restart_marker_blocks=1, comment=b"\xff\xd9", dpi=(9, 9))
    file = io.BytesIO()
    noise = np.random.default_rng(2).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, "JPEG", **options)
    whole = file.getvalue()
    assert b"\xff\xd0" in whole  # a restart marker, inside the scan
    filled = whole.replace(b"\xff\xda", b"\xff\xff\xff\xda")  # fill bytes
    for content in (whole, filled, jpeg(), jpeg(progressive=True)):
        assert not is_truncated_jpeg(content)
        assert all(is_truncated_jpeg(content[:n]) for n in range(2, len(content), 7))
        assert is_truncated_jpeg(content[:-1])


def test_no_jpeg_takes_long_to_follow():
    start = time.perf_counter()
    for unit in (b"\xff", b"\xff\xe0\0\0", b"\xff\xda\0\0", b"\xff\0"):
        assert is_truncated_jpeg(b"\xff\xd8" + unit * (400_000 // len(unit)))
    assert time.perf_counter() - start < 5


GREY = np.linspace(0, 65535, 64 * 32).reshape(64, 32)


@pytest.mark.parametrize("color_type", ["color", "grayscale"])
@pytest.mark.parametrize("ending", ["png", "tiff", "pgm"])
def test_grey_images_of_16_bits_keep_their_contrast(tmp_path, ending, color_type):
    path = str(tmp_path / f"a.{ending}")
    cv2.imwrite(path, GREY.astype(np.uint16))
    with Image.open(path) as image:
        assert image.mode.startswith("I")
    one, other = (
        LoadPersonImage(color_type=color_type, imdecode_backend=backend)(
            dict(img_path=path)
        )["img"]
        for backend in ("pillow", "cv2")
    )
    assert one.dtype == np.uint8
    assert np.array_equal(one, other)
    assert np.abs(one.reshape(64, 32, -1) - GREY[..., None] / 257).max() <= 1


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
@pytest.mark.parametrize("backend", ["pillow", "cv2"])
def test_grey_values_of_unknown_range_are_refused(tmp_path, dtype, backend):
    path = tmp_path / "a.tiff"
    Image.fromarray(GREY.astype(dtype)).save(path)
    with pytest.raises(
        ValueError, match=r"a\.tiff .* 32 bits, .*; save it with 8 or 16"
    ):
        LoadPersonImage(imdecode_backend=backend)(dict(img_path=str(path)))


@pytest.mark.parametrize("backend", ["cv2", "pillow"])
@pytest.mark.parametrize("kind", ["empty", "text", "half a png"])
def test_what_is_no_picture_is_an_error_that_names_it(tmp_path, kind, backend):
    png = cv2.imencode(".png", np.zeros((90, 40, 3), np.uint8))[1].tobytes()
    content = {"empty": b"", "text": b"hello", "half a png": png[: len(png) // 2]}[kind]
    with pytest.raises(ValueError, match=r"x\.jpg .* not a readable image"):
        load(tmp_path, content, imdecode_backend=backend)


# --- boxes ----------------------------------------------------------------------------


def marked_picture(box, size=(80, 60)):
    """A black picture, height x width, with a white box."""
    x1, y1, x2, y2 = box
    image = np.zeros((*size, 3), np.uint8)
    image[y1:y2, x1:x2] = 255
    return image


def box_in(image):
    rows, columns = np.nonzero(image[..., 0] > 127)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


@pytest.mark.parametrize(
    "crop",
    [
        dict(crop_size=(80, 60), padding=10),
        dict(crop_size=(70, 50), padding=(3, 9)),
        dict(crop_size=(70, 50), padding=(1, 2, 30, 40)),
        dict(crop_size=(101, 90), pad_if_needed=True),
        dict(crop_size=(40, 30)),
    ],
)
def test_boxes_follow_what_they_frame_through_the_crop(crop):
    np.random.seed(0)
    seen = 0
    for _ in range(60):
        image = marked_picture((20, 30, 34, 52))
        boxes = np.array([[20, 30, 34, 52], [np.nan] * 4], np.float32)
        results = RandomCrop(**crop)(dict(img=image, gt_bboxes=boxes))
        found = results["gt_bboxes"]
        assert found.dtype == np.float32
        assert np.isnan(found[1]).all()
        if results["img"].any():
            assert found[0].tolist() == box_in(results["img"])
            seen += 1
        else:
            assert np.isnan(found[0]).all()
        assert boxes[0].tolist() == [20, 30, 34, 52]
    assert seen > 10


def test_a_box_outside_the_crop_is_absent():
    np.random.seed(0)
    boxes = np.array([[0, 0, 4, 4]], np.float32)
    crops = [
        RandomCrop((40, 30))(dict(img=marked_picture((0, 0, 4, 4)), gt_bboxes=boxes))
        for _ in range(40)
    ]
    absent = [bool(np.isnan(crop["gt_bboxes"]).all()) for crop in crops]
    assert absent == [not crop["img"].any() for crop in crops]
    assert any(absent)


def test_a_keypoint_stays_on_its_pixel_until_it_leaves():
    np.random.seed(0)
    keypoints = np.array([[[1.5, 2.5, 1]]], np.float32)
    visible = set()
    for _ in range(60):
        image = np.zeros((80, 60, 3), np.uint8)
        image[2, 1] = 255
        crop = RandomCrop((80, 60), padding=10)(
            dict(img=image, gt_keypoints=keypoints.copy())
        )
        places = np.argwhere(crop["img"][..., 0])
        x, y, visibility = crop["gt_keypoints"][0, 0]
        assert visibility == len(places)
        if len(places):
            assert (places + 0.5).tolist() == [[y, x]]
        visible.add(len(places))
    assert visible == {0, 1}


def test_without_boxes_the_crop_is_mmpretrains():
    from mmpretrain.datasets.transforms import RandomCrop as Theirs

    image = np.random.default_rng(0).integers(0, 256, (80, 60, 3), dtype=np.uint8)
    for seed in range(5):
        crops = []
        for transform in (Theirs((70, 50), padding=5), RandomCrop((70, 50), padding=5)):
            np.random.seed(seed)
            crops.append(transform(dict(img=image.copy()))["img"])
        assert np.array_equal(*crops)


def test_boxes_keep_to_their_place_through_the_whole_pipeline():
    np.random.seed(3)
    steps = [
        dict(type="Resize", scale=(120, 160), keep_ratio=False),
        dict(type="RandomCrop", crop_size=(160, 120), padding=10),
        dict(type="RandomFlip", prob=0.5),
        dict(type="PackPARInputs"),
    ]
    pipeline = Compose(steps)
    flips = set()
    for _ in range(20):
        image = marked_picture((20, 30, 34, 52))
        boxes = np.array([[20, 30, 34, 52], [np.nan] * 4], np.float32)
        data = pipeline(dict(img=image, img_shape=(80, 60), gt_bboxes=boxes))
        sample = data["data_samples"]
        found = sample.gt_attribute_boxes
        assert found.dtype == torch.float32
        expected = box_in(data["inputs"].permute(1, 2, 0).numpy())
        assert found[0].tolist() == expected
        assert torch.isnan(found[1]).all()
        flips.add(sample.flip)
    assert flips == {True, False}


# --- packing --------------------------------------------------------------------------


def test_packing_keeps_boxes_and_keypoints_through_pickle():
    results = dict(
        img=np.zeros((4, 3, 3), np.uint8),
        gt_score=np.array([1, -1], np.float32),
        gt_bboxes=np.array([[0, 1, 2, 3], [np.nan] * 4]),
        gt_keypoints=np.ones((1, 17, 3)),
    )
    sample = PackPARInputs()(results)["data_samples"]
    copied = pickle.loads(pickle.dumps(sample))
    assert copied.gt_score.tolist() == [1, -1]
    assert copied.gt_attribute_boxes[0].tolist() == [0, 1, 2, 3]
    assert copied.gt_attribute_boxes.isnan().tolist() == [[False] * 4, [True] * 4]
    assert copied.gt_keypoints.shape == (1, 17, 3)


def test_what_is_not_there_is_not_packed():
    sample = PackPARInputs()(dict(img=np.zeros((4, 3, 3), np.uint8)))["data_samples"]
    assert "gt_attribute_boxes" not in sample
    assert "gt_keypoints" not in sample
    assert "gt_score" not in sample
