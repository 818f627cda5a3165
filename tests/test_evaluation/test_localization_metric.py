"""AttributeLocalizationMetric: maps and boxes alike, errors, several processes."""

import json

import numpy as np
import pytest
import torch

from mmpar.evaluation import AttributeLocalizationMetric
from mmpar.evaluation.functional import localization_scores, map_peak, map_to_box
from tests.test_evaluation.test_par_metric import evaluate

SIZE = (12, 8)


def samples(field="pred_attribute_maps", num_images=11, seed=0):
    rng = np.random.default_rng(seed)
    found = []
    for i in range(num_images):
        corners = np.sort(rng.uniform(0, 8, (3, 2, 2)), axis=1).astype(np.float32)
        truth = torch.from_numpy(corners.reshape(3, 4))
        labels = torch.from_numpy(rng.integers(-1, 2, 3).astype(np.float32))
        truth[labels == 0] = float("nan")
        corners = np.sort(rng.uniform(0, 8, (3, 2, 2)), axis=1).astype(np.float32)
        predictions = dict(
            pred_attribute_maps=torch.from_numpy(rng.random((3, *SIZE))).float(),
            pred_attribute_boxes=torch.from_numpy(corners.reshape(3, 4)),
        )
        found.append(
            {
                "gt_attribute_boxes": truth,
                "gt_score": labels,
                field: predictions[field],
                "img_shape": SIZE,
                "sample_idx": i,
                "img_path": f"{i}.jpg",
            }
        )
    return found


def expected(data):
    """The metric's figures, from the functions of arrays."""
    truth = np.stack([sample["gt_attribute_boxes"].numpy() for sample in data])
    labels = np.stack([sample["gt_score"].numpy() for sample in data])
    truth = np.where((labels == 1)[..., None], truth, np.nan)
    if "pred_attribute_maps" in data[0]:
        maps = [sample["pred_attribute_maps"].numpy() for sample in data]
        boxes = np.array([[map_to_box(m, 0.6) for m in one] for one in maps])
        points = np.array([[map_peak(m) for m in one] for one in maps])
    else:
        boxes = np.stack([sample["pred_attribute_boxes"].numpy() for sample in data])
        points = (boxes[..., :2] + boxes[..., 2:]) / 2
    scores = localization_scores(truth, boxes, points)
    whole = np.broadcast_to(np.array((0, 0, 8, 12), np.float32), boxes.shape)
    values = dict(
        mean_iou=scores.iou,
        iou_above_30=scores.above_30,
        iou_above_50=scores.above_50,
        pointing=scores.pointing,
        whole_image_iou=localization_scores(truth, whole, points).iou,
    )
    return {
        f"localization/{name}": pytest.approx(100 * value.mean())
        for name, value in values.items()
    }


@pytest.mark.parametrize("field", ["pred_attribute_maps", "pred_attribute_boxes"])
def test_figures_are_those_of_the_functions_in_percent(field):
    data = samples(field)
    found = evaluate(AttributeLocalizationMetric(threshold=0.6), data)
    assert found == expected(data)


def test_file_has_every_attribute_with_true_boxes(tmp_path):
    data = samples()
    for sample in data:
        sample["gt_score"][1] = 0
    metric = AttributeLocalizationMetric(out_file=str(tmp_path / "new/out.json"))
    metrics = evaluate(metric, data)
    content = json.loads((tmp_path / "new/out.json").read_text())
    assert list(content["attributes"]) == ["Hat", "Coat"]
    ious = [entry["IoU"] for entry in content["attributes"].values()]
    assert np.mean(ious) == pytest.approx(metrics["localization/mean_iou"])


def test_samples_without_explanations_or_boxes_say_what_to_do():
    data = samples()
    del data[4]["pred_attribute_maps"]
    with pytest.raises(ValueError, match=r"4\.jpg.*ExplainLoop"):
        evaluate(AttributeLocalizationMetric(), data)
    del data[2]["gt_attribute_boxes"]
    with pytest.raises(ValueError, match=r"2\.jpg.*LoadAttributeBoxes"):
        evaluate(AttributeLocalizationMetric(), data)


def test_a_split_without_true_boxes_is_an_error():
    data = samples()
    for sample in data:
        sample["gt_attribute_boxes"][:] = float("nan")
    with pytest.raises(ValueError, match=r"11 samples has a true box.*0\.jpg"):
        evaluate(AttributeLocalizationMetric(), data)


def test_thresholds_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"\(0, 1\]"):
        AttributeLocalizationMetric(threshold=2)
