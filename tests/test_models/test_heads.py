"""What PAR heads share: schema in the checkpoint, positive ratios, loss, prediction."""

import pytest
import torch
from mmengine.runner.checkpoint import load_checkpoint, load_state_dict
from mmpretrain.structures import DataSample
from torch import nn

from mmpar.models import LinearPARHead, SSPNetHead
from mmpar.structures import AttributeSchema, SchemaMismatchError
from tests.test_models.oracles.weighted_bce import weighted_bce

NAMES = ("Hat", "Bag", "Boots")
SCHEMA = AttributeSchema(NAMES, {"head": ("Hat",)}, title="mine")
OTHERS = {
    "other names": AttributeSchema(("Hat", "Bag", "Male"), {"head": ("Hat",)}),
    "another order": AttributeSchema(("Bag", "Hat", "Boots"), {"head": ("Hat",)}),
    "other groups": AttributeSchema(NAMES, {"head": ("Bag",)}),
    "more": AttributeSchema((*NAMES, "Male"), {"head": ("Hat",)}),
}


def sspnet_head(schema, **kwargs):
    regions = dict(
        head=dict(level=1, rows=(0, 0.5), groups=("head",)),
        rest=dict(level=2, rows=(0, 1)),
    )
    return SSPNetHead(schema, regions, in_channels=4, **kwargs)


def linear_head(schema, **kwargs):
    return LinearPARHead(schema, in_channels=4, **kwargs)


class Model(nn.Module):
    def __init__(self, head):
        super().__init__()
        self.head = head


def features():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(5, 4, generator=generator)


def samples(labels):
    return [DataSample().set_gt_score(torch.tensor(row)) for row in labels]


LABELS = [[1.0, 0, -1], [0, 0, 1], [1, 1, 1], [-1, -1, -1], [0, 1, 0]]


def test_the_linear_head_is_one_linear_layer_on_the_last_features():
    head = linear_head(SCHEMA)
    x = features()
    logits = head((None, x))
    expected = x @ head.classifier.weight.T + head.classifier.bias
    torch.testing.assert_close(logits, expected)
    assert logits.shape == (5, 3)


@pytest.mark.parametrize("build", [linear_head, sspnet_head])
@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("strict", [True, False])
def test_a_checkpoint_of_another_schema_is_refused(build, other, strict):
    saved = Model(build(other)).state_dict()
    for load in (nn.Module.load_state_dict, load_state_dict):
        with pytest.raises(SchemaMismatchError) as error:
            load(Model(build(SCHEMA)), saved, strict=strict)
        assert "Hat, Bag, Boots" in str(error.value)
        assert ", ".join(other.names) in str(error.value)


@pytest.mark.parametrize("build", [linear_head, sspnet_head])
def test_a_checkpoint_of_the_same_schema_brings_weights_and_ratios(build, tmp_path):
    source, target = Model(build(SCHEMA)), Model(build(SCHEMA))
    source.head.set_positive_ratio([0.25, 0.5, 0.125])
    for parameter in source.parameters():
        nn.init.normal_(parameter)
    torch.save({"state_dict": source.state_dict()}, tmp_path / "x.pth")
    load_checkpoint(target, str(tmp_path / "x.pth"), strict=True)
    assert target.head.positive_ratio.tolist() == [0.25, 0.5, 0.125]
    for ours, theirs in zip(target.parameters(), source.parameters()):
        assert torch.equal(ours, theirs)


def test_every_entry_of_the_state_dict_is_a_tensor():
    state = Model(sspnet_head(SCHEMA)).state_dict()
    assert "head._extra_state" in state
    assert all(isinstance(value, torch.Tensor) for value in state.values())


def test_the_loss_is_that_of_the_logits_and_the_positive_ratios():
    head, x = linear_head(SCHEMA), features()
    ratios = [0.2, 0.7, 0.5]
    head.set_positive_ratio(ratios)
    found = head.loss((x,), samples(LABELS))["loss"]
    expected = weighted_bce(
        head((x,)).double(), torch.tensor(LABELS), torch.tensor(ratios), "exponential"
    )
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-6)


def test_the_loss_is_built_by_its_bare_name():
    loss = dict(type="WeightedBCELoss", weighting="square_root")
    assert linear_head(SCHEMA, loss=loss).loss_module.weighting == "square_root"


def test_training_without_ratios_is_an_error_with_the_remedy():
    with pytest.raises(RuntimeError, match="PositiveRatioHook"):
        linear_head(SCHEMA).loss((features(),), samples(LABELS))


def test_a_wrong_number_of_ratios_is_an_error():
    with pytest.raises(ValueError, match=r"\(2,\) positive ratios for the 3 .*'mine'"):
        linear_head(SCHEMA).set_positive_ratio([0.5, 0.5])


def test_predictions_are_the_sigmoid_once_and_labels_from_the_threshold_on():
    head, x = linear_head(SCHEMA, threshold=0.4), features()
    nn.init.normal_(head.classifier.weight)
    predictions = head.predict((x,), samples(LABELS))
    expected = 1 / (1 + (-head((x,))).exp())
    for prediction, row in zip(predictions, expected):
        torch.testing.assert_close(prediction.pred_score, row)
        positives = [i for i, score in enumerate(row.tolist()) if score >= 0.4]
        assert prediction.pred_label.tolist() == positives
