"""Several data sets train as one; what one does not label is unknown there."""

import numpy as np
import pytest
from mmengine.registry import init_default_scope

from mmpar.datasets import positive_ratios
from mmpar.datasets.joint import JointDataset, union_schema
from mmpar.structures import AttributeSchema
from tests.fixtures.pa100k import write_pictures

FIRST = ("Hat", "Female", "Boots")
SECOND = ("female", "Hat", "Bag")
ROWS = {
    "a": (FIRST, [[1, 0, 1], [0, 1, -1], [1, 1, 0], [0, 0, 0]]),
    "b": (SECOND, [[1, 0, 1], [0, 1, 1]]),
}
PIPELINE = [dict(type="LoadPersonImage"), dict(type="PackPARInputs")]


def config(tmp_path, which, pipeline=()):
    names, rows = ROWS[which]
    paths = [f"{which}{i}.jpg" for i in range(len(rows))]
    write_pictures(tmp_path / "pictures", paths)
    lines = [" ".join([p, *map(str, row)]) for p, row in zip(paths, rows)]
    (tmp_path / f"{which}.txt").write_text("\n".join(lines))
    return dict(
        type="AttributeListDataset",
        data_root=str(tmp_path),
        ann_file=f"{which}.txt",
        data_prefix="pictures",
        schema=dict(names=names, groups=dict(head=["Hat"])),
        pipeline=pipeline,
    )


def joint(tmp_path, pipeline=(), **kwargs):
    init_default_scope("mmpar")
    kwargs.setdefault("aliases", [{}, {"female": "Female"}])
    return JointDataset([config(tmp_path, w, pipeline) for w in "ab"], **kwargs)


EXPECTED = [
    [1, 0, 1, -1],
    [0, 1, -1, -1],
    [1, 1, 0, -1],
    [0, 0, 0, -1],
    [0, 1, -1, 1],
    [1, 0, -1, 1],
]


def test_labels_are_in_the_order_of_the_union_and_else_unknown(tmp_path):
    dataset = joint(tmp_path)
    assert dataset.schema.names == ("Hat", "Female", "Boots", "Bag")
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    assert [info["gt_score"].tolist() for info in infos] == EXPECTED
    assert [info["dataset"] for info in infos] == [0, 0, 0, 0, 1, 1]
    assert [info["sample_idx"] for info in infos] == list(range(6))


def test_samples_of_the_pipeline_have_those_labels_too(tmp_path):
    dataset = joint(tmp_path, PIPELINE)
    samples = [dataset[i]["data_samples"] for i in range(len(dataset))]
    assert [sample.gt_score.tolist() for sample in samples] == EXPECTED
    assert [sample.dataset for sample in samples] == [0, 0, 0, 0, 1, 1]
    assert samples[5].img_path.endswith("b1.jpg")


def test_without_aliases_other_names_are_other_attributes(tmp_path):
    dataset = joint(tmp_path, aliases=None)
    assert dataset.schema.names == ("Hat", "Female", "Boots", "female", "Bag")


@pytest.mark.parametrize("weights", [(1, 1), (2, 1), (0.5, 3), (1.25, 2.5)])
def test_weights_say_how_often_each_data_set_is_drawn(tmp_path, weights):
    dataset = joint(tmp_path, weights=weights)
    drawn = np.bincount(dataset.rows[:, 0])
    assert drawn.tolist() == [4 * weights[0], 2 * weights[1]]
    for which, weight in enumerate(weights):
        rows = dataset.rows[dataset.rows[:, 0] == which, 1]
        often = np.bincount(rows, minlength=(4, 2)[which])
        assert set(often) <= {int(weight), int(np.ceil(weight))}


def test_positive_ratios_are_those_of_the_samples_drawn(tmp_path):
    dataset = joint(tmp_path, weights=(1.5, 3))
    labels = [dataset.get_data_info(i)["gt_score"] for i in range(len(dataset))]
    for a, ratio in enumerate(positive_ratios(dataset)):
        known = [float(row[a]) for row in labels if row[a] != -1]
        assert ratio == pytest.approx(sum(known) / len(known), abs=1e-15)


def test_the_union_keeps_the_first_group_and_order():
    one = AttributeSchema(("a", "b"), {"head": ("a",)})
    other = AttributeSchema(("c", "b", "a"), {"foot": ("a", "b"), "bag": ("c",)})
    union = union_schema([one, other])
    assert union.names == ("a", "b", "c")
    assert union.groups == {"head": ("a",), "bag": ("c",)}


@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        (dict(weights=[1]), "2 data sets have 1 weights"),
        (dict(weights=[1, 0]), r"weights are positive, got \[1, 0\]"),
        (dict(aliases=[{}]), "2 data sets have 1 aliases"),
        (dict(aliases=[{"x": "y"}, {}]), "no attribute 'x'"),
    ],
)
def test_a_wrong_argument_is_an_error_that_says_what(tmp_path, kwargs, match):
    with pytest.raises(ValueError, match=match):
        joint(tmp_path, **kwargs)


def test_boxes_are_in_the_order_of_the_union_and_else_nowhere(tmp_path):
    def mark(results):
        count = len(results["gt_score"])
        results["gt_bboxes"] = np.tile(np.arange(count, dtype=np.float32), (4, 1)).T
        return results

    dataset = joint(tmp_path, [PIPELINE[0], mark, PIPELINE[1]])
    first, last = (dataset[i]["data_samples"].gt_attribute_boxes for i in (0, 5))
    assert first.shape == last.shape == (4, 4)
    np.testing.assert_array_equal(first[:, 0], [0, 1, 2, np.nan])
    np.testing.assert_array_equal(last[:, 3], [1, 0, np.nan, 2])
