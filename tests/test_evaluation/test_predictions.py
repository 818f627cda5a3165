"""The predictions of a split, from a model and a loader in one call."""

import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.model import BaseModel
from mmpretrain.structures import DataSample
from torch.utils.data import DataLoader

from mmpar.evaluation import predict_split

PERSONS = ["7", -1, 12, None, "Ann"]


class Doubles(BaseModel):
    """Predicts what the inputs are, by a threshold of 0.6; not while training."""

    def forward(self, inputs, data_samples, mode):
        assert mode == "predict"
        assert not self.training
        assert not torch.is_grad_enabled()
        for scores, sample in zip(inputs, data_samples):
            sample.set_field(scores, "pred_score")
            sample.set_field(torch.nonzero(scores > 0.6)[:, 0], "pred_label")
        return data_samples


def split(scores, labels):
    """A dataset of packed samples; every second has a domain."""
    samples = []
    for i, (row, label) in enumerate(zip(scores, labels)):
        meta = dict(img_path=f"{i}.png", sample_idx=i, domain="RAP" if i % 2 else None)
        meta |= {} if PERSONS[i] is None else dict(person_id=PERSONS[i])
        sample = DataSample(metainfo=meta, gt_score=label)
        samples.append(dict(inputs=row, data_samples=sample))
    return samples


@pytest.fixture
def case():
    generator = torch.Generator().manual_seed(0)
    scores = torch.rand(5, 3, generator=generator)
    return scores, torch.randint(-1, 2, (5, 3), generator=generator)


def test_predictions_of_a_loader_have_one_row_per_image(case):
    scores, labels = case
    loader = DataLoader(split(*case), batch_size=2, collate_fn=pseudo_collate)
    found = predict_split(Doubles().train(), loader)
    assert found.scores.tolist() == scores.tolist()
    assert found.labels.tolist() == labels.tolist()
    assert found.decisions.tolist() == (scores > 0.6).tolist()
    assert found.img_path.tolist() == [f"{i}.png" for i in range(5)]
    assert found.domain.tolist() == ["", "RAP", "", "RAP", ""]
    assert found.person_id.tolist() == ["7", "", "12", "", "Ann"]
    some = found.select(found.domain == "RAP")
    assert some.scores.tolist() == scores[[1, 3]].tolist()
    assert some.img_path.tolist() == ["1.png", "3.png"]


def test_a_loader_that_leaves_images_out_is_refused(case):
    data = split(*case)
    loader = DataLoader(data, 2, drop_last=True, collate_fn=pseudo_collate)
    with pytest.raises(RuntimeError, match=r"4 different samples.* 5; .*drop_last"):
        predict_split(Doubles(), loader)
