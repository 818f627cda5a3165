"""Whatever is given becomes a stream of images, or an error that says what to give."""

import numpy as np
import pytest
import torch
from PIL import Image

from mmpar.apis.image_inputs import as_bgr, iterate_images

BGR = np.arange(24, dtype=np.uint8).reshape(2, 4, 3) * 10
RGB = BGR[..., ::-1]


@pytest.fixture
def folder(tmp_path):
    for name in ("b.jpg", "a.PNG", "sub/c.webp", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def paths(inputs, **options):
    return [image.img_path for image in iterate_images(inputs, **options)]


def test_a_folder_gives_its_images_by_name(folder):
    found = [str(folder / name) for name in ("a.PNG", "b.jpg", "sub/c.webp")]
    with pytest.warns(UserWarning, match=f"1 files in {folder} are left out"):
        assert paths(folder) == paths(str(folder)) == found


def test_links_to_folders_are_followed_once(folder, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "z.png").touch()
    (outside / "back").symlink_to(folder)
    expected = paths(folder)
    (folder / "zz").symlink_to(outside)
    assert paths(folder) == [*expected, str(folder / "zz" / "z.png")]


def test_a_pattern_gives_what_fits_it(folder):
    assert paths(folder / "**" / "*.?[ep][gb]*") == [
        str(folder / "b.jpg"),
        str(folder / "sub" / "c.webp"),
    ]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(folder):
    odd = folder / "[1].jpg"
    odd.touch()
    assert paths(odd) == [str(odd)]


@pytest.mark.parametrize(
    "given", ["missing.jpg", "s3://bucket/*.jpg", "http://a/?.png"]
)
def test_other_paths_and_urls_are_left_to_the_reader(given):
    assert paths(given) == [given]


def test_a_mix_in_any_iterable_keeps_its_order(folder):
    mix = [folder / "b.jpg", BGR, Image.fromarray(RGB), folder / "sub"]
    found = list(iterate_images(iter(mix)))
    assert [image.img_path for image in found] == [
        str(folder / "b.jpg"),
        None,
        None,
        str(folder / "sub" / "c.webp"),
    ]
    assert found[1].image is BGR


def test_a_batch_is_several_images():
    assert len(list(iterate_images(np.zeros((5, 2, 4, 3), np.uint8)))) == 5
    assert len(list(iterate_images(torch.zeros(5, 3, 2, 4, dtype=torch.uint8)))) == 5
    assert len(list(iterate_images(BGR))) == 1


def test_boxes_belong_to_their_images():
    (one,) = iterate_images("a.jpg", boxes=[[0, 0, 1, 1], [1, 1, 2, 2]])
    assert one.boxes.tolist() == [[0, 0, 1, 1], [1, 1, 2, 2]]
    first, second, third = iterate_images(
        ["a.jpg", "b.jpg", "c.jpg"], boxes=[[0, 0, 1, 1], None, []]
    )
    assert first.boxes.shape == (1, 4)
    assert second.boxes is None
    assert third.boxes.shape == (0, 4)


@pytest.mark.parametrize(
    ("inputs", "options", "error"),
    [
        (["a.jpg"], dict(boxes=[]), "fewer boxes than images"),
        (["a.jpg"], dict(boxes=[None, None]), "more boxes than images"),
        ("a.jpg", dict(boxes=[[1, 2, 3]]), r"boxes of a\.jpg have the shape \(1, 3\)"),
        ("a.jpg", dict(boxes=[[1, 2, 3, float("nan")]]), r"a\.jpg are not all finite"),
        ("a.jpg", dict(boxes=[[1, 2, 3, 4], [5]]), r"boxes of a\.jpg are no array"),
        (
            "a.jpg",
            dict(keypoints=np.zeros((2, 17, 3))),
            "1 persons, but keypoints of 2",
        ),
    ],
)
def test_persons_that_do_not_fit_the_images_are_refused(inputs, options, error):
    with pytest.raises(ValueError, match=error):
        list(iterate_images(inputs, **options))


@pytest.mark.parametrize("given", [3, None, [3], [["a.jpg"]], [None]])
def test_what_is_no_image_is_refused(given):
    with pytest.raises(TypeError, match="give a path"):
        list(iterate_images(given))


def test_a_folder_or_pattern_without_an_image_is_an_error(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(FileNotFoundError, match=r"no image \(1 files with other"):
        paths(tmp_path)
    with pytest.raises(FileNotFoundError, match="no file fits"):
        paths(tmp_path / "*.jpg")


@pytest.mark.parametrize(
    ("image", "rgb"),
    [
        (BGR, False),
        (RGB, True),
        (torch.tensor(BGR).permute(2, 0, 1), False),
        (torch.tensor(RGB.copy()).permute(2, 0, 1), True),
        (Image.fromarray(RGB), False),
        (Image.fromarray(RGB), True),
    ],
)
def test_pixels_of_all_kinds_become_bgr(image, rgb):
    assert np.array_equal(as_bgr(image, rgb), BGR)


def test_grey_becomes_three_channels():
    grey = BGR[..., 0]
    for image in (grey, grey[..., None], torch.tensor(grey), Image.fromarray(grey)):
        assert np.array_equal(as_bgr(image), np.repeat(grey[..., None], 3, axis=2))
    deep = Image.fromarray(grey.astype(np.uint16) * 256 + 255)
    assert np.array_equal(as_bgr(deep)[..., 0], grey)


def test_a_pil_image_is_turned_upright():
    image = Image.fromarray(RGB)
    image.getexif()[0x0112] = 6  # the camera was turned a quarter
    assert as_bgr(image).shape == (4, 2, 3)


@pytest.mark.parametrize(
    "image",
    [
        BGR.astype(np.float32),
        np.zeros((2, 4, 4), np.uint8),
        torch.zeros(2, 4, 3, dtype=torch.uint8),
        torch.zeros(3, 2, 4),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros(4, np.uint8),
        Image.fromarray(np.zeros((2, 4), np.float32)),
    ],
)
def test_pixels_that_do_not_say_what_they_are_are_refused(image):
    with pytest.raises(ValueError, match=r"expected uint8|no pixels|what white is"):
        as_bgr(image)
