"""ExplainLoop: what the explainer writes is what the metric judges."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.evaluator import Evaluator
from mmpretrain.structures import DataSample
from torch import nn

from mmpar.engine import ExplainLoop
from mmpar.evaluation import AttributeLocalizationMetric
from mmpar.explain import BoxExplainer

NAMES = ("Hat", "Bag", "Coat")
SIZE = (40, 20)
WHOLE = torch.tensor((0.0, 0.0, SIZE[1], SIZE[0]))


class Predicts(nn.Module):
    """Hands the data samples on, as a classifier whose predictions do not matter."""

    def data_preprocessor(self, batch, training):
        assert not training
        return batch

    def forward(self, inputs, data_samples, mode):
        assert mode == "predict"
        assert len(inputs) == len(data_samples)
        return data_samples


class TrueBoxes(BoxExplainer):
    def __call__(self, inputs, attributes=None, data_samples=None):
        return torch.stack([s.gt_attribute_boxes for s in data_samples])


class WholeImage(BoxExplainer):
    def __call__(self, inputs, attributes=None, data_samples=None):
        return WHOLE.expand(len(inputs), len(NAMES), 4)


def batches():
    generator = torch.Generator().manual_seed(0)
    for start in range(0, 6, 2):
        samples = []
        for i in (start, start + 1):
            corners = torch.rand(3, 2, 2, generator=generator).sort(dim=1).values
            boxes = (corners * WHOLE[2:]).reshape(3, 4)
            sample = DataSample(
                metainfo=dict(img_path=f"{i}.png", img_shape=SIZE, sample_idx=i)
            )
            sample.set_gt_score(torch.tensor((1.0, i % 2, 1.0)))
            sample.set_field(boxes, "gt_attribute_boxes")
            samples.append(sample)
        yield dict(inputs=torch.zeros(2, 3, *SIZE), data_samples=samples)


class SixPersons:
    metainfo = dict(schema=dict(names=NAMES, groups={}, title="three"))

    def __len__(self):
        return 6


class Loader(list):
    """Batches, with the dataset that the loop asks for."""

    dataset: object


def figures_of(explainer):
    loader = Loader(batches())
    loader.dataset = SixPersons()
    runner = SimpleNamespace(
        model=Predicts(), call_hook=lambda *_, **__: None, visualizer=SimpleNamespace()
    )
    evaluator = Evaluator(AttributeLocalizationMetric())
    loop = ExplainLoop(runner, loader, evaluator, dict(type=explainer))
    return loop.run()


def test_an_explainer_that_knows_the_true_boxes_is_perfect():
    found = figures_of(TrueBoxes)
    assert found["localization/mean_iou"] == pytest.approx(100)
    assert found["localization/pointing"] == 100
    assert found["localization/whole_image_iou"] < 50


def test_one_that_says_the_whole_image_is_as_the_whole_image():
    found = figures_of(WholeImage)
    whole = found["localization/whole_image_iou"]
    assert found["localization/mean_iou"] == pytest.approx(whole)
    assert 0 < whole < 50


def test_a_device_that_autocast_does_not_know_is_fine_without_it(monkeypatch):
    def refuse(*args, **kwargs):
        raise RuntimeError("unsupported autocast device_type 'mps'")

    monkeypatch.setattr("mmengine.runner.amp.get_device", lambda: "mps")
    monkeypatch.setattr(torch, "autocast", refuse)  # as before torch 2.5
    assert figures_of(TrueBoxes)["localization/pointing"] == 100
