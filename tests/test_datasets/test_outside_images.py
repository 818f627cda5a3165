"""A list names images of its image folder only, unless told otherwise."""

import numpy as np
import pytest

from mmpar.datasets import AttributeListDataset
from mmpar.datasets.file_backends import paths_outside

INSIDE = ["in.jpg", "a/../in.jpg", "same.jpg", "a/back/in.jpg", "{root}/images/in.jpg"]
OUTSIDE = [
    "../out.jpg",
    "a/../../out.jpg",
    "{root}/out.jpg",
    "linked/out.jpg",
    "link.jpg",
    "../images_2/out.jpg",
    "http://example.com/in.jpg",
]


@pytest.fixture
def root(tmp_path):
    images = tmp_path / "images"
    (images / "a").mkdir(parents=True)
    (tmp_path / "images_2").mkdir()
    for name in ("images/in.jpg", "out.jpg", "images_2/out.jpg"):
        (tmp_path / name).write_text(name)
    (images / "same.jpg").symlink_to("in.jpg")
    (images / "a/back").symlink_to("..")
    (images / "linked").symlink_to("..")
    (images / "link.jpg").symlink_to("../out.jpg")
    return tmp_path


def listed(root, *paths, **kwargs):
    lines = [f"{path.format(root=root)},1\n" for path in paths]
    (root / "list.csv").write_text("image,Hat\n" + "".join(lines))
    options = dict(data_root=str(root), data_prefix="images") | kwargs
    return AttributeListDataset(ann_file=options.pop("ann_file", "list.csv"), **options)


def test_what_stays_in_the_folder_is_taken_however_it_is_written(root):
    assert len(listed(root, *INSIDE)) == len(INSIDE)
    (root / "link_to_images").symlink_to("images")
    assert len(listed(root, *INSIDE, data_prefix="link_to_images")) == len(INSIDE)


@pytest.mark.filterwarnings("ignore:.*1 of 2 images listed in .* do not exist")
@pytest.mark.parametrize("path", OUTSIDE)
def test_what_leaves_the_folder_is_refused_unless_allowed(root, path, monkeypatch):
    monkeypatch.chdir(root / "images")  # where an address would be a path inside
    with pytest.raises(ValueError, match=r"1 of 2 .* outside .*outside_images='allow'"):
        listed(root, "in.jpg", path, missing_images="drop")
    kept = listed(root, "in.jpg", path, missing_images="drop", outside_images="allow")
    assert len(kept) == 1 + ("://" not in path)


def test_an_image_whose_name_no_system_allows_is_missing(root):
    path = f"{'y' * 300}/{'x' * 5000}.jpg"  # a folder and a file
    match = r"1 of 2 images listed in .*list\.csv do not exist.*y\.\.\. \(sample 1\)"
    with pytest.raises(FileNotFoundError, match=match.replace("y", "[xy]")):
        listed(root, "in.jpg", path)


def test_without_a_folder_the_list_alone_says_where_images_are(root, monkeypatch):
    monkeypatch.chdir(root / "images")
    whole = dict(data_root="", data_prefix="", ann_file=str(root / "list.csv"))
    assert len(listed(root, "{root}/out.jpg", "../out.jpg", **whole)) == 2
    with pytest.raises(ValueError, match=r"1 of 1 .* outside the image folder"):
        listed(root, "/etc/hostname", data_prefix="")  # data_root is the folder


def test_remote_folders_go_by_the_name():
    names = [
        "s3://b/x/1.jpg",
        "s3://b/y/1.jpg",
        "s3://b/x/../1.jpg",
        "/etc/x",
        "s3://b/x",
    ]
    assert paths_outside("s3://b/x/", names, local=False).tolist() == [1, 2, 3, 4]


def test_random_trees_agree_with_resolving_each_path(tmp_path):
    rng = np.random.default_rng(0)
    folders = [tmp_path / name for name in ("in", "in/a", "in/a/b", "out", "out/c")]
    for folder in folders:
        folder.mkdir()
        (folder / "f").touch()
    for number in range(20):
        source, target = rng.choice(5, 2)
        target = folders[target] / ("f" if rng.random() < 0.5 else "")
        (folders[source] / f"l{number}").symlink_to(target)
    parts = ["..", "a", "b", "c", "f", "out", "in", *(f"l{n}" for n in range(20))]
    names = ["/".join(rng.choice(parts, rng.integers(1, 5))) for _ in range(3000)]
    paths = [
        path for path in (tmp_path / "in" / name for name in names) if path.is_file()
    ]
    root = tmp_path / "in"
    inside = [
        root in path.resolve().parents and root in (path.parent.resolve() / "x").parents
        for path in paths  # the way there stays inside, and so does the end
    ]
    assert 0.1 < np.mean(inside) < 0.9
    found = paths_outside(str(tmp_path / "in"), map(str, paths), local=True)
    assert found.tolist() == np.flatnonzero(~np.array(inside)).tolist()


def test_another_word_is_refused(root):
    with pytest.raises(ValueError, match="'error' or 'allow', got 'yes'"):
        listed(root, "in.jpg", outside_images="yes")
