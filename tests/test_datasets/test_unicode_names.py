"""Names of attributes are equal in either form of Unicode, wherever they come from."""

import json
from unicodedata import normalize

import numpy as np
import pytest

from mmpar.datasets import AttributeListDataset
from mmpar.datasets.formats.annotation import Release
from mmpar.structures import AttributeSchema

COMPOSED = normalize("NFC", "Mütze")
TAKEN_APART = normalize("NFD", "Mütze")
FORMS = pytest.mark.parametrize(
    ("written", "wanted"), [(COMPOSED, TAKEN_APART), (TAKEN_APART, COMPOSED)]
)


class Unchecked(AttributeListDataset):
    def find_missing(self, table):
        return np.empty(0, np.int64)


def test_the_forms_of_a_name_differ_and_the_schemas_are_equal():
    assert COMPOSED != TAKEN_APART
    one = AttributeSchema((COMPOSED, "Bag"), dict(head=(TAKEN_APART,)))
    other = AttributeSchema((TAKEN_APART, "Bag"), dict(head=(COMPOSED,)))
    one.require_same(other, "one", "other")
    assert one.index(TAKEN_APART) == other.index(COMPOSED) == 0
    assert one.indices(["head"]) == (0,)


def test_a_name_in_both_forms_is_one_name_twice():
    with pytest.raises(ValueError, match="repeats"):
        AttributeSchema((COMPOSED, TAKEN_APART))


@FORMS
def test_columns_are_matched_to_a_schema_in_the_other_form(tmp_path, written, wanted):
    text = tmp_path / "a.csv"
    text.write_text(f"path,Bag,{written}\na.jpg,0,1\n", encoding="utf-8")
    images = [dict(path="a.jpg", labels={"Bag": 0, wanted: 1})]
    content = dict(attributes=["Bag", written], images=images)
    (tmp_path / "a.json").write_text(json.dumps(content), encoding="utf-8")
    schema = dict(names=[wanted, "Bag"], groups=dict(head=[written]))
    for name in ("a.csv", "a.json"):
        found = Unchecked(ann_file=str(tmp_path / name), schema=schema)
        assert found.get_labels().tolist() == [[1, 0]]


@FORMS
def test_classes_are_matched_in_the_other_form(tmp_path, written, wanted):
    text = tmp_path / "a.csv"
    text.write_text(f"path,{written}\na.jpg,{written}\n", encoding="utf-8")
    schema = dict(names=[f"{wanted}:x", f"{wanted}:{wanted}"])
    found = Unchecked(ann_file=str(text), schema=schema, one_hot=[wanted])
    assert found.get_labels().tolist() == [[0, 1]]


@FORMS
def test_a_releases_attributes_are_found_in_the_other_form(written, wanted):
    release = Release("x.pkl", ["Bag", written], ["a.jpg"], np.array([[0, 1]]), {})
    names = AttributeSchema((wanted,)).names
    assert release.table(names, np.array([0])).labels.tolist() == [[1]]


@FORMS
def test_classes_of_the_metainfo_may_be_in_the_other_form(tmp_path, written, wanted):
    text = tmp_path / "a.csv"
    text.write_text(f"path,{written}\na.jpg,1\n", encoding="utf-8")
    found = Unchecked(ann_file=str(text), metainfo=dict(classes=[wanted]))
    assert found.metainfo["classes"] == [COMPOSED]
