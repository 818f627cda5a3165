"""Several datasets train as one; what one does not label is unknown there."""

import numpy as np
import pytest
from mmengine.registry import init_default_scope

from mmpar.datasets.joint import JointDataset, merge_schemas
from mmpar.structures import SCHEMAS, AttributeSchema
from tests.fixtures.pa100k import write_images

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
    write_images(tmp_path / "images", paths)
    lines = [" ".join([p, *map(str, row)]) for p, row in zip(paths, rows)]
    (tmp_path / f"{which}.txt").write_text("\n".join(lines))
    return dict(
        type="AttributeListDataset",
        data_root=str(tmp_path),
        ann_file=f"{which}.txt",
        data_prefix="images",
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


def test_an_alias_is_found_by_a_decomposed_name(tmp_path):
    parts = [config(tmp_path, which) for which in "ab"]
    parts[0]["schema"]["names"] = ["M\u00fctze", *ROWS["a"][0][1:]]
    parts[0]["schema"]["groups"] = {"head": ["M\u00fctze"]}
    dataset = JointDataset(parts, aliases=[{"Mu\u0308tze": "Hat"}, {}])
    assert dataset.schema.names[0] == "Hat"
    assert dataset.schema.groups["head"] == ("Hat",)


def test_samples_of_the_pipeline_have_those_labels_too(tmp_path):
    dataset = joint(tmp_path, PIPELINE)
    samples = [dataset[i]["data_samples"] for i in range(len(dataset))]
    assert [sample.gt_score.tolist() for sample in samples] == EXPECTED
    assert [sample.dataset for sample in samples] == [0, 0, 0, 0, 1, 1]
    assert samples[5].img_path.endswith("b1.jpg")


def test_without_aliases_other_names_are_other_attributes(tmp_path):
    dataset = joint(tmp_path, aliases=None)
    assert dataset.schema.names == ("Hat", "Female", "Boots", "female", "Bag")


def test_plain_samples_have_those_labels_too(tmp_path):
    dataset = joint(tmp_path)
    samples = [dataset[i] for i in range(len(dataset))]
    assert [sample["gt_score"].tolist() for sample in samples] == EXPECTED
    assert [sample["dataset"] for sample in samples] == [0, 0, 0, 0, 1, 1]
    assert dataset[-1]["gt_score"].tolist() == EXPECTED[-1]


def test_plain_boxes_are_spread_and_a_sample_without_labels_is_an_error(tmp_path):
    def mark(results):
        boxes = np.ones((len(results["gt_score"]), 4), np.float32)
        return dict(results, gt_bboxes=boxes)

    boxes = joint(tmp_path, [mark])[5]["gt_bboxes"]
    np.testing.assert_array_equal(boxes[:, 0], [1, 1, np.nan, 1])
    with pytest.raises(TypeError, match="dataset 1 gives dict without data_samples"):
        joint(tmp_path, [lambda results: dict(img=0)])[5]


def test_the_union_keeps_the_first_group_and_order():
    one = AttributeSchema(("a", "b"), {"head": ("a",)})
    other = AttributeSchema(("c", "b", "a"), {"foot": ("a", "b"), "bag": ("c",)})
    union = merge_schemas([one, other])
    assert union.names == ("a", "b", "c")
    assert union.groups == {"head": ("a",), "bag": ("c",)}


def test_what_excludes_each_other_in_a_dataset_does_so_in_the_union(tmp_path):
    sets = [(("a", "b"), ("d", "e")), (("c", "b", "a"),)]
    schemas = [AttributeSchema(tuple("abcde"), exclusive=given) for given in sets]
    assert merge_schemas(schemas).exclusive == (("d", "e"), ("c", "b", "a"))
    both = [config(tmp_path, which) for which in "ab"]
    both[1]["schema"]["exclusive"] = [["female", "Bag"]]
    init_default_scope("mmpar")
    union = JointDataset(both, [{}, {"female": "Female"}]).schema
    assert union.exclusive == (("Female", "Bag"),)


@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        (dict(aliases=[{}]), "2 datasets have 1 aliases"),
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


def meant(tmp_path, **kwargs):
    """The first dataset knows the second's women by its men, and bags of its own."""
    pipeline = kwargs.pop("pipeline", ())
    parts = [config(tmp_path, which, pipeline) for which in "ab"]
    parts[0]["schema"]["meanings"] = dict(
        Hat="accessory: hat", Female="gender: male", Boots="carrying: backpack"
    )
    parts[1]["schema"]["meanings"] = dict(
        female="gender: female", Bag="carrying: backpack, handbag"
    )
    init_default_scope("mmpar")
    return JointDataset(parts, **kwargs)


COMPLETED = [
    [1, 0, 1, 1, 1],
    [0, 1, -1, 0, -1],
    [1, 1, 0, 0, -1],
    [0, 0, 0, 1, -1],
    [0, 0, -1, 1, 1],
    [1, 1, -1, 0, 1],
]


@pytest.mark.parametrize("pipeline", [[], PIPELINE])
def test_unknown_labels_are_filled_by_what_others_imply(tmp_path, pipeline):
    dataset = meant(tmp_path, pipeline=pipeline, infer_labels=True)
    assert dataset.schema.names == ("Hat", "Female", "Boots", "female", "Bag")
    labels = [dataset.get_data_info(i)["gt_score"].tolist() for i in range(6)]
    assert labels == COMPLETED
    samples = [dataset[i] for i in range(6)]
    if pipeline:
        labels = [sample["data_samples"].gt_score.tolist() for sample in samples]
    else:
        labels = [sample["gt_score"].tolist() for sample in samples]
    assert labels == COMPLETED


def test_filled_labels_count_in_the_positive_ratios(tmp_path):
    dataset = meant(tmp_path, infer_labels=True)
    expected = np.array(COMPLETED)
    positives, known = dataset.label_counts()
    assert positives.tolist() == (expected == 1).sum(axis=0).tolist()
    assert known.tolist() == (expected >= 0).sum(axis=0).tolist()
    weight = np.array([0.5, 1, 0, 2, 1, 0.25])
    positives, known = dataset.label_counts(weight)
    assert positives.tolist() == (weight @ (expected == 1)).tolist()


def test_labels_are_not_inferred_unless_asked_for(tmp_path):
    dataset = meant(tmp_path)
    assert dataset.get_data_info(0)["gt_score"].tolist() == [1, 0, 1, -1, -1]


def test_inferring_needs_meanings(tmp_path):
    with pytest.raises(ValueError, match="needs to know what attributes mean"):
        joint(tmp_path, infer_labels=True)


def test_the_union_keeps_meanings_but_where_they_differ():
    one = AttributeSchema(("a", "b"), meanings=dict(a="gender: male", b="hair: long"))
    other = AttributeSchema(("a", "b"), meanings=dict(a="gender: female"))
    assert merge_schemas([one, other]).meanings == {"b": "hair: long"}
    published = merge_schemas([SCHEMAS["peta"], SCHEMAS["market1501"]])
    assert published.meanings["hair"] == published.meanings["hairLong"]
