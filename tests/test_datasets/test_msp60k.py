"""MSP60K is read from pickles with the entries that its authors write."""

import pytest

from mmpar.datasets import MSP60K
from mmpar.structures import SCHEMAS
from tests.fixtures.easydict_pickles import write_easydict
from tests.fixtures.msp60k import RANDOM, SCENES, write_msp60k_release


def rows_of(dataset):
    return list(zip(dataset.table.paths, dataset.get_labels().tolist()))


def expected(entries, split):
    rows = entries["partition"][split].tolist()
    return [(entries["image_name"][i], entries["label"][i].tolist()) for i in rows]


@pytest.fixture
def files(tmp_path):
    return write_msp60k_release(tmp_path)


@pytest.mark.parametrize("split", ["train", "val", "test", "trainval"])
def test_the_random_split_is_the_default(tmp_path, files, split):
    dataset = MSP60K(data_root=str(tmp_path), split=split)
    assert dataset.schema == SCHEMAS["msp60k"]
    assert rows_of(dataset) == expected(files[RANDOM], split)
    assert dataset.get_data_info(0)["img_path"].startswith(f"{tmp_path}/images/")


@pytest.mark.parametrize("split", ["test", "trainval"])
def test_a_split_by_scenes_has_trainval_and_test(tmp_path, files, split):
    dataset = MSP60K(data_root=str(tmp_path), ann_file=SCENES, split=split)
    assert rows_of(dataset) == expected(files[SCENES], split)


def test_a_split_by_scenes_has_no_val(tmp_path, files):
    with pytest.raises(ValueError, match=r"has the splits \['test', 'trainval'\]"):
        MSP60K(data_root=str(tmp_path), ann_file=SCENES, split="val")


@pytest.mark.parametrize("entry", ["attributes", "attr_words"])
def test_either_entry_of_names_is_enough(tmp_path, files, entry):
    entries = {**files[SCENES]}
    entries.pop("attr_words" if entry == "attributes" else "attributes")
    write_easydict(tmp_path / "x.pkl", entries)
    one = dict(data_root=str(tmp_path), ann_file="x.pkl", split="test")
    assert rows_of(MSP60K(**one)) == expected(files[SCENES], "test")


def test_phrases_for_a_text_encoder_are_no_names(tmp_path, files):
    names = files[SCENES]["attributes"]
    phrases = [f"a pedestrian with {name}" for name in names]
    entries = {**files[SCENES], "attr_name": names}
    entries.update(attributes=phrases, attr_words=phrases)
    write_easydict(tmp_path / "x.pkl", entries)
    one = dict(data_root=str(tmp_path), ann_file="x.pkl", split="test")
    assert MSP60K(schema="all", **one).schema.names == SCHEMAS["msp60k"].names


def test_no_names_at_all_are_an_error_that_lists_what_is_there(tmp_path, files):
    entries = {**files[SCENES]}
    del entries["attributes"], entries["attr_words"]
    write_easydict(tmp_path / "x.pkl", entries)
    match = r"lacks \['attr_name or attributes or attr_words'\]; it has \['attr_vec"
    with pytest.raises(ValueError, match=match):
        MSP60K(data_root=str(tmp_path), ann_file="x.pkl", split="test")


def test_a_missing_default_file_names_the_others_beside_it(tmp_path, files):
    (tmp_path / RANDOM).unlink()
    with pytest.raises(FileNotFoundError, match=rf"{RANDOM}.*beside.*{SCENES}"):
        MSP60K(data_root=str(tmp_path), split="train")
