"""What every PAR dataset does: subsets, missing and broken images, copies."""

import json
import pickle
import warnings
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmpar.datasets import PARDataset, SampleError
from mmpar.datasets.formats import AnnotationTable, PackedStrings
from mmpar.structures import AttributeSchema
from tests.fixtures.pa100k import write_images

SCHEMA = AttributeSchema(("Hat", "Bag", "Boots"), {"head": ("Hat",)}, "three")
LABELS = np.random.default_rng(0).integers(-1, 2, (10, 3))
NAMES = [f"c{i % 3}/päth {i}.jpg" for i in range(10)]


class Listed(PARDataset):
    """Ten samples that a test lists itself."""

    SCHEMA = SCHEMA
    SPLITS = ("all",)
    METAINFO = dict(dataset_name="Listed")
    paths = NAMES

    def load_annotations(self):
        columns = dict(person=np.arange(10) // 2)
        return AnnotationTable.of(self.paths, LABELS, columns)


class Unchecked(Listed):
    def find_missing(self, table):
        return np.empty(0, np.int64)


@pytest.fixture
def unchecked():
    return Unchecked(split="all")


@pytest.fixture
def root(tmp_path):
    write_images(tmp_path, NAMES)
    return str(tmp_path)


def rows_of(dataset):
    return [dataset.get_data_info(i)["img_path"] for i in range(len(dataset))]


# --- samples --------------------------------------------------------------------------


def test_a_sample_is_its_row(unchecked):
    for i in (0, 4, 9, -1, -10):
        info = unchecked.get_data_info(i)
        assert info["img_path"] == NAMES[i]
        assert info["gt_score"].dtype == np.float32
        assert info["gt_score"].tolist() == LABELS[i].tolist()
        assert info["person"] == (i % 10) // 2
        assert info["sample_idx"] == i % 10


def test_a_sample_past_the_end_is_an_index_error(unchecked):
    with pytest.raises(IndexError):
        unchecked.get_data_info(10)


def test_writing_to_a_sample_leaves_the_data_set_as_it_was(unchecked):
    unchecked.get_data_info(3)["gt_score"][:] = 7
    assert unchecked.get_data_info(3)["gt_score"].tolist() == LABELS[3].tolist()
    assert unchecked.get_labels().tolist() == LABELS.tolist()


@pytest.mark.parametrize(
    ("prefix", "path", "joined"),
    [
        ("", "a.jpg", "a.jpg"),
        ("images", "a.jpg", "images/a.jpg"),
        ("images/", "x/a.jpg", "images/x/a.jpg"),
        ("images", "/elsewhere/a.jpg", "/elsewhere/a.jpg"),
        ("s3://bucket/x", "a.jpg", "s3://bucket/x/a.jpg"),
        ("images", "s3://bucket/a.jpg", "s3://bucket/a.jpg"),
    ],
)
def test_a_path_is_relative_to_the_prefix_unless_absolute(prefix, path, joined):
    class One(Unchecked):
        paths = [path] * 10

    dataset = One(split="all", data_prefix=prefix, outside_images="allow")
    assert dataset.get_data_info(0)["img_path"] == joined


def test_a_column_of_another_length_is_refused():
    with pytest.raises(ValueError, match=r"differ in length.*'person': 3"):
        AnnotationTable.of(NAMES, LABELS, dict(person=np.arange(3)))
    with pytest.raises(ValueError, match=r"in length: {'paths': 9, 'labels': 10}$"):
        AnnotationTable.of(NAMES[:9], LABELS)


def test_a_table_holds_labels_of_one_byte_and_cannot_be_changed(unchecked):
    assert unchecked.table.labels.dtype == np.int8
    with pytest.raises(FrozenInstanceError):
        unchecked.table.labels = LABELS


def test_meta_information_is_plain_and_names_the_schema(unchecked):
    assert json.loads(json.dumps(unchecked.metainfo)) == dict(
        dataset_name="Listed", classes=["Hat", "Bag", "Boots"], schema=SCHEMA.to_dict()
    )
    assert unchecked.schema == SCHEMA


def test_meta_information_from_a_config_loads_with_weights_only(tmp_path):
    config = Config(
        dict(
            schema=dict(names=["a", "b", "c"], groups=dict(head=["b"])),
            metainfo=dict(note=dict(cameras=[1, 2])),
        )
    )
    dataset = Unchecked(split="all", **config)
    torch.save(dataset.metainfo, tmp_path / "meta.pth")
    loaded = torch.load(tmp_path / "meta.pth", weights_only=True)
    assert loaded == dataset.metainfo
    assert loaded["note"] == {"cameras": [1, 2]}
    assert type(loaded["note"]) is dict


def test_the_schema_argument_replaces_the_schema_of_the_class():
    mine = dict(names=["a", "b", "c"], groups=dict(head=["b"]))
    assert Unchecked(split="all", schema=mine).schema.groups == {"head": ("b",)}


def test_other_classes_in_the_meta_information_are_an_error():
    with pytest.raises(
        ValueError, match=r"\['x'\] differs .* \['Hat', 'Bag', 'Boots'\]"
    ):
        Unchecked(split="all", metainfo=dict(classes=["x"]))


def test_a_class_without_a_schema_asks_for_one():
    class Bare(Unchecked):
        SCHEMA = None

    with pytest.raises(ValueError, match="Bare needs the argument schema"):
        Bare(split="all")


def test_the_schema_is_known_before_a_lazy_data_set_is_read():
    dataset = Listed(split="all", lazy_init=True)
    assert dataset.schema == SCHEMA
    assert "not read yet" in repr(dataset)


def test_the_repr_says_what_it_is(unchecked):
    text = repr(unchecked)
    assert "Dataset Unchecked" in text
    assert "Number of samples: \t10" in text
    assert "3 (three)" in text


def test_a_split_for_a_class_without_splits_is_an_error():
    class Whole(Unchecked):
        SPLITS = ()

    assert len(Whole()) == 10
    with pytest.raises(ValueError, match="Whole has no splits, got split='all'"):
        Whole(split="all")


# --- subsets --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("indices", "rows"),
    [
        (4, [0, 1, 2, 3]),
        (0, []),
        (-3, [7, 8, 9]),
        (99, list(range(10))),
        ([5, 1, 1, -1], [5, 1, 1, 9]),
        ((2,), [2]),
        (np.array([9, 0]), [9, 0]),
        (np.arange(10) % 4 == 0, [0, 4, 8]),
    ],
)
def test_subsets_hold_the_rows_asked_for(unchecked, indices, rows):
    subset = unchecked.get_subset(indices)
    assert rows_of(subset) == [NAMES[i] for i in rows]
    assert subset.get_labels().tolist() == LABELS[rows].tolist()
    assert subset.table.columns["person"].tolist() == [i // 2 for i in rows]
    assert len(unchecked) == 10

    unchecked.get_subset_(indices)
    assert rows_of(unchecked) == rows_of(subset)
    if rows:
        fresh = Unchecked(split="all", indices=indices)
        assert rows_of(fresh) == rows_of(subset)


def test_indices_that_leave_nothing_are_an_error():
    with pytest.raises(ValueError, match=r"Unchecked all has no samples.*indices=0"):
        Unchecked(split="all", indices=0)


def test_a_row_past_the_end_is_an_error(unchecked):
    with pytest.raises(ValueError, match="no such rows in 10 samples: index 10"):
        unchecked.get_subset([3, 10])


def test_packed_strings_are_those_of_a_list():
    strings = ["a", "", "pä", "\udcff.jpg"]  # the last is a name that is not UTF-8
    packed = PackedStrings.pack(iter(strings))
    assert len(packed) == 4
    assert list(packed) == strings
    assert [packed[i] for i in range(-4, 4)] == strings * 2
    assert list(packed.take(np.array([3, 0, 3]))) == ["\udcff.jpg", "a", "\udcff.jpg"]
    assert list(packed.take(np.array([], np.int64))) == []
    for index in (-5, 4):
        with pytest.raises(IndexError):
            packed[index]


def test_a_subset_of_many_rows_is_that_of_a_plain_list():
    rng = np.random.default_rng(1)
    strings = ["x" * int(n) + str(n) for n in rng.integers(0, 9, 150_000)]
    rows = rng.integers(0, 150_000, 140_000)
    taken = PackedStrings.pack(strings).take(rows)
    assert list(taken) == [strings[i] for i in rows]
    assert taken[139_999] == taken[-1] == strings[rows[-1]]


def test_a_copy_through_pickle_holds_the_same_samples(unchecked):
    copied = pickle.loads(pickle.dumps(unchecked))
    assert rows_of(copied) == NAMES
    assert copied.get_labels().tolist() == LABELS.tolist()
    assert copied.metainfo == unchecked.metainfo


def test_a_million_rows_take_the_bytes_of_paths_and_labels():
    count = 1_000_000
    paths = (f"{i:08d}.jpg" for i in range(count))
    table = AnnotationTable.of(paths, np.zeros((count, 26), np.int8))
    size = len(pickle.dumps(table, protocol=5))
    assert size < count * (12 + 8 + 26) * 1.01
    assert table.paths[123_456] == "00123456.jpg"


# --- missing and broken images ------------------------------------------------------


def test_present_images_pass(root):
    assert len(Listed(split="all", data_root=root)) == 10


def test_missing_images_are_an_error_with_their_number_and_the_first(tmp_path):
    write_images(tmp_path, [n for i, n in enumerate(NAMES) if i not in (2, 3, 5, 7)])
    first = ", ".join(rf"{tmp_path}/{NAMES[i]} \(sample {i}\)" for i in (2, 3, 5))
    match = f"4 of 10 images listed in the dataset do not exist, first: {first}. Check"
    with pytest.raises(FileNotFoundError, match=match):
        Listed(split="all", data_root=str(tmp_path))


def test_missing_images_can_be_dropped_with_a_warning(tmp_path):
    kept = [i for i in range(10) if i not in (2, 9)]
    write_images(tmp_path, [NAMES[i] for i in kept])
    with pytest.warns(UserWarning, match=r"2 of 10 .*päth 2\.jpg.*dropped"):
        dataset = Listed(split="all", data_root=str(tmp_path), missing_images="drop")
    assert rows_of(dataset) == [f"{tmp_path}/{NAMES[i]}" for i in kept]
    assert dataset.get_labels().tolist() == LABELS[kept].tolist()


def test_indices_count_the_samples_that_are_left(tmp_path):
    write_images(tmp_path, NAMES[1:])
    with pytest.warns(UserWarning, match="1 of 10"):
        dataset = Listed(
            split="all", data_root=str(tmp_path), missing_images="drop", indices=2
        )
    assert rows_of(dataset) == [f"{tmp_path}/{name}" for name in NAMES[1:3]]


@pytest.mark.filterwarnings("ignore:.*10 of 10 images listed in .* do not exist")
def test_dropping_every_image_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="Listed all has no samples"):
        Listed(split="all", data_root=str(tmp_path), missing_images="drop")


def test_another_word_for_missing_images_is_an_error(root):
    with pytest.raises(ValueError, match="'error', 'drop' or 'ignore', got 'skip'"):
        Listed(split="all", data_root=root, missing_images="skip")


def test_remote_images_are_not_looked_up():
    dataset = Listed(split="all", data_prefix="http://example.invalid/images")
    assert len(dataset) == 10
    remote = dict(backend="http")
    assert len(Listed(split="all", backend_args=remote)) == 10


def test_looking_for_a_hundred_thousand_files_takes_no_call_for_each(
    tmp_path, monkeypatch
):
    from mmpar.datasets import file_backends

    for i in range(100):
        (tmp_path / f"{i}.jpg").touch()
    calls = []
    listdir = file_backends.os.listdir
    monkeypatch.setattr(
        file_backends.os, "listdir", lambda path: calls.append(path) or listdir(path)
    )
    monkeypatch.delattr(file_backends.os, "stat")
    paths = [f"{tmp_path}/{i}.jpg" for i in range(100_000)]
    missing = file_backends.missing_files(paths)
    assert missing.tolist() == list(range(100, 100_000))
    assert calls == [str(tmp_path)]


@pytest.mark.parametrize("test_mode", [False, True])
@pytest.mark.parametrize("loader", ["LoadImageFromFile", "LoadPersonImage"])
def test_an_unreadable_image_is_an_error_that_names_it(root, loader, test_mode):
    broken = f"{root}/{NAMES[4]}"
    with open(broken, "wb") as file:
        file.write(b"this is not an image")
    pipeline = [dict(type=loader)]
    dataset = Listed(
        split="all", data_root=root, pipeline=pipeline, test_mode=test_mode
    )
    assert dataset[3]["img"].shape == (80, 30, 3)
    with pytest.raises(SampleError, match=f"Listed all, sample 4, {broken}"):
        dataset[4]


@pytest.mark.parametrize("test_mode", [False, True])
def test_a_transform_that_gives_up_is_an_error_not_another_sample(root, test_mode):
    dataset = Listed(
        split="all", data_root=root, pipeline=[lambda _: None], test_mode=test_mode
    )
    with pytest.raises(SampleError, match=r"sample 7, .*päth 7\.jpg: a transform"):
        dataset[7]


def test_nothing_warns_on_a_sound_dataset(root):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Listed(split="all", data_root=root)
