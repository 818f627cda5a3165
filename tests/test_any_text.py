"""Whatever a text file holds is read, or refused by the file's name."""

import json
from contextlib import contextmanager

import pytest

from mmpar.datasets import AttributeListDataset
from mmpar.datasets.formats.mot import read_mot_boxes
from mmpar.utils.config_data import ConfigCodeError, parse_config_data

pytest.importorskip("hypothesis")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


@contextmanager
def read_or_refused(name, kind=ValueError):
    try:
        yield
    except kind as error:
        if name not in str(error):
            raise


ANY = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
CELLS = st.one_of(
    st.sampled_from(["1", "0", "-1", "", "a.jpg", "path", "Hat", '"', "nan", "1e999"]),
    st.text(max_size=4),
)
TABLES = st.lists(st.lists(CELLS, max_size=4), max_size=4)


@pytest.mark.parametrize(("ending", "between"), [(".csv", ","), (".txt", " ")])
@ANY
@given(table=TABLES)
def test_any_table_is_read_or_refused_by_name(tmp_path, ending, between, table):
    file = tmp_path / f"list{ending}"
    text = "\n".join(between.join(row) for row in table)
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    schema = dict(names=["Hat"]) if ending == ".txt" else None
    with read_or_refused(file.name):
        AttributeListDataset(ann_file=str(file), missing_images="ignore", schema=schema)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["a.jpg", "Hat"])
    | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["metainfo", "classes", "data_list", "img_path", "gt_score"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@ANY
@given(tree=JSON)
def test_any_json_is_read_or_refused_by_name(tmp_path, tree):
    file = tmp_path / "list.json"
    file.write_text(json.dumps(tree))
    with read_or_refused(file.name):
        AttributeListDataset(ann_file=str(file), missing_images="ignore")


@ANY
@given(table=TABLES)
def test_any_boxes_are_read_or_refused_by_name(tmp_path, table):
    file = tmp_path / "boxes.txt"
    text = "\n".join(",".join(row) for row in table)
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    with read_or_refused(file.name):
        read_mot_boxes(str(file), ["1.jpg"])


@ANY
@given(
    text=st.text(st.characters(codec="utf-8"), max_size=30)
    | st.text("abc=()[]{}'\"\n 1,:.-", max_size=30)
)
def test_any_config_is_data_or_refused(text):
    with read_or_refused("this config", ConfigCodeError):
        parse_config_data(text, "this config")
