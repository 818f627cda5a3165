"""The table and the shares of the occlusion test."""

import numpy as np
import pytest
from mmengine.logging import MMLogger

from mmpar.evaluation import OcclusionMetric

NAMES = ("Hat", "Bag", "Coat")
NAN = float("nan")


def sample_of(index, drops, predicted=(0, 1), boxes=None):
    """Two attributes are present; ``drops`` (A, C, 2)."""
    return dict(
        img_path=f"{index}.png",
        sample_idx=index,
        gt_score=np.array([1, 1, 0]),
        pred_label=np.array(predicted),
        occlusion_boxes=np.zeros((3, 4)) if boxes is None else boxes,
        occlusion_drops=np.array(drops),
    )


def evaluate(samples):
    metric = OcclusionMetric()
    metric.dataset_meta = dict(schema=dict(names=NAMES, groups={}, title="three"))
    metric.process(None, samples)
    return metric.evaluate(len(samples))


@pytest.fixture
def log(caplog):
    """Rows of the table and the lines after it, once something was evaluated."""
    logger = MMLogger.get_instance("occlusion")
    logger.addHandler(caplog.handler)

    def read():
        text = caplog.text
        lines = [line for line in text.splitlines() if line.startswith("|")]
        return [[c.strip() for c in li.strip("|").split("|")] for li in lines], text

    yield read
    logger.removeHandler(caplog.handler)


NONE = [[NAN, NAN], [NAN, NAN]]
PERSONS = [
    ([[9.0, 1.0], [1.0, 2.0]], [[1.0, 2.0], [NAN, NAN]], NONE),
    (NONE, [[1.0, 0.0], [2.0, 1.0]], NONE),
]


def test_shares_are_of_the_compared_boxes_and_images(log):
    found = evaluate([sample_of(i, drops) for i, drops in enumerate(PERSONS)])
    assert found == {
        "occlusion/in_image": pytest.approx(200 / 3),
        "occlusion/in_region": 50,
        "occlusion/images": 100,
    }
    table, text = log()
    assert table == [
        ["attribute", "compared", "in_image", "compared", "in_region"],
        ["Hat", "1", "100.0", "1", "0.0"],
        ["Bag", "2", "50.0", "1", "100.0"],
        ["all", "3", "66.7", "2", "50.0"],
        ["images, by the mean of their boxes", "2", "100.0", "2", "50.0"],
    ]
    assert "1 boxes too large for another" in text  # the second person's hat
    assert "1 boxes are compared in the image only" in text  # the first one's bag


def test_models_without_regions_have_one_comparison(log):
    drops = [[pair[0]] for pair in PERSONS[0]]
    boxes = np.zeros((3, 4))
    boxes[1] = NAN
    drops[1] = [[NAN, NAN]]
    found = evaluate([sample_of(0, drops, boxes=boxes)])
    assert found == {"occlusion/in_image": 100, "occlusion/images": 100}
    table, text = log()
    assert [len(row) for row in table] == [3] * 4
    assert "0 boxes too large" in text
    assert "1 answers without a box" in text


def test_without_anything_to_compare_there_is_no_share(log):
    assert evaluate([sample_of(0, [NONE] * 3, predicted=())]) == {}
    assert log()[0][-1][1:] == ["0", "-"] * 2


def test_a_test_without_occlusion_says_how_it_is_run():
    sample = sample_of(0, PERSONS[0])
    del sample["occlusion_drops"]
    with pytest.raises(ValueError, match=r"0\.png has no occlusion_drops.*occlusion="):
        evaluate([sample])
