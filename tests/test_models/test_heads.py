"""What PAR heads share: schema in the checkpoint, positive ratios, loss, prediction."""

import itertools

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope
from mmengine.runner.checkpoint import load_checkpoint, load_state_dict
from mmpretrain.structures import DataSample
from torch import nn

from mmpar.models import (
    ALMHead,
    ALMLoss,
    CosinePARHead,
    GlobalMaxPooling,
    LinearPARHead,
    PARHead,
    SSPNetHead,
    SSPNetNeck,
    WeightedBCELoss,
)
from mmpar.structures import (
    AttributeSchema,
    Calibration,
    DecisionRule,
    SchemaMismatchError,
    SetSoftmax,
)
from tests.oracles.weighted_bce import weighted_bce

NAMES = ("Hat", "Bag", "Boots")
SCHEMA = AttributeSchema(NAMES, {"head": ("Hat",)}, title="mine")
EXCLUSIVE = AttributeSchema(NAMES, {"head": ("Hat",)}, exclusive=[("Hat", "Boots")])
CALIBRATION = Calibration(
    EXCLUSIVE, (0.5, 2, 1.5), (1, -1, 0.25), (SetSoftmax(0.7, -0.4),)
)
OTHERS = {
    "other names": AttributeSchema(("Hat", "Bag", "Male"), {"head": ("Hat",)}),
    "another order": AttributeSchema(("Bag", "Hat", "Boots"), {"head": ("Hat",)}),
    "other groups": AttributeSchema(NAMES, {"head": ("Bag",)}),
    "more": AttributeSchema((*NAMES, "Male"), {"head": ("Hat",)}),
}


REGIONS = dict(
    head=dict(level=1, rows=(0, 0.5), groups=("head",)),
    rest=dict(level=2, rows=(0, 1)),
)


def sspnet_head(schema, **kwargs):
    return SSPNetHead(schema, REGIONS, in_channels=4, **kwargs)


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


@pytest.mark.parametrize("scope", ["mmpar", "mmpretrain"])
def test_every_head_has_its_default_loss_in_a_config_of_another_scope(scope):
    with DefaultScope.overwrite_default_scope(scope):
        linear = linear_head(SCHEMA)
        alm = ALMHead(SCHEMA, in_channels=(8, 8), channels=16)
    assert type(linear.loss_module) is WeightedBCELoss
    assert type(alm.loss_module) is ALMLoss


def test_the_linear_classifier_begins_near_zero():
    """By init_weights, as the official code."""
    head = LinearPARHead(SCHEMA, in_channels=1000)
    head.init_weights()
    assert head.classifier.weight.std().item() == pytest.approx(0.001, rel=0.1)
    assert not head.classifier.bias.any()


def test_settings_that_are_not_given_are_those_of_the_papers():
    neck = SSPNetNeck((8, 8), REGIONS)
    assert neck.pyramid.laterals[0].out_channels == 256
    sspnet = SSPNetHead(SCHEMA, REGIONS)
    assert sspnet.classifiers["head"].in_features == 256 * (1 + 2 * 2)
    alm = ALMHead(SCHEMA, in_channels=(8, 8))
    assert alm.laterals[0].out_channels == 256
    assert alm.align_corners
    assert CosinePARHead(SCHEMA, in_channels=4).scale == 30


def test_a_head_that_defines_forward_as_before_0_2_is_told_what_to_define():
    class Former(PARHead):
        def forward(self, feats):
            return feats[-1]

    with pytest.raises(
        NotImplementedError, match=r"Former must define logits\(feats\)"
    ):
        Former(SCHEMA).loss((torch.zeros(5, 3),), samples(LABELS))


def test_training_without_ratios_is_an_error_with_the_remedy():
    with pytest.raises(RuntimeError, match="PositiveRatioHook"):
        linear_head(SCHEMA).loss((features(),), samples(LABELS))


def test_a_wrong_number_of_ratios_is_an_error():
    with pytest.raises(ValueError, match=r"\(2,\) positive ratios for the 3 .*'mine'"):
        linear_head(SCHEMA).set_positive_ratio([0.5, 0.5])


def test_ratios_are_as_fine_as_the_weights():
    head = linear_head(SCHEMA).double()
    head.set_positive_ratio([0.1, 0.2, 0.7])
    assert head.positive_ratio.tolist() == [0.1, 0.2, 0.7]


def test_the_loss_of_float64_logits_takes_the_labels_as_they_are():
    """0.3 as float32 is 1e-8 off."""
    head, x = (
        linear_head(SCHEMA, loss=dict(type="WeightedBCELoss", weighting=None)),
        (features().double()),
    )
    head.double()
    soft = [[0.3, 0.7, -1.0]] * 5
    data = [DataSample().set_gt_score(torch.tensor(row).double()) for row in soft]
    for sample, row in zip(data, soft):
        sample.set_field(torch.tensor(row, dtype=torch.float64), "gt_score")
    found = head.loss((x,), data)["loss"]
    p = head((x,)).sigmoid()[:, :2]
    t = torch.tensor([0.3, 0.7], dtype=torch.float64)
    expected = -(t * p.log() + (1 - t) * (1 - p).log()).sum() / 5
    assert found.dtype == torch.float64
    torch.testing.assert_close(found, expected, rtol=1e-14, atol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_labels_are_not_rounded_to_logits_of_half_precision(dtype):
    head = linear_head(SCHEMA, loss=dict(type="WeightedBCELoss", weighting=None))
    logits = torch.randn(4, 3, generator=torch.Generator().manual_seed(0)).to(dtype)
    data = samples([[0.3, 0.7, 0.9]] * 4)
    with torch.autocast("cpu", torch.bfloat16):
        found = head._get_loss(logits, data)["loss"]
    expected = head._get_loss(logits.float(), data)["loss"]
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


def logits_of(scores):
    return torch.tensor(scores, dtype=torch.float64).logit()


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (0.5, [[1], [0, 1, 2]]),
        (0.7, [[], [0, 1, 2]]),
        ([0.3, 0.65, 0.8], [[0], [0, 1, 2]]),
        ((0.3, 0.65, 0.8), [[0], [0, 1, 2]]),
        (dict(Hat=0.3), [[0, 1], [0, 1, 2]]),
        (ConfigDict(Boots=0.1, Bag=0.95), [[2], [0, 2]]),
    ],
)
def test_a_score_above_the_threshold_of_its_attribute_is_a_positive(
    threshold, expected
):
    head = linear_head(SCHEMA, threshold=threshold).double()
    logits = logits_of([[0.4, 0.6, 0.2], [0.9, 0.9, 0.9]])
    found = head._get_predictions(logits, None)
    assert [sample.pred_label.tolist() for sample in found] == expected
    torch.testing.assert_close(found[0].pred_score, logits[0].sigmoid())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_scores_of_half_precision_logits_are_float32(dtype):
    logits = torch.tensor([[0.003, 8, 9]]).to(dtype)
    (found,) = linear_head(SCHEMA)._get_predictions(logits, None)
    assert torch.equal(found.pred_score, logits.float()[0].sigmoid())
    assert found.pred_label.tolist() == [0, 1, 2]


def test_a_score_at_the_threshold_is_negative_in_every_precision():
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        logits = torch.zeros(1, 3, dtype=dtype)
        (found,) = linear_head(SCHEMA)._get_predictions(logits, None)
        assert found.pred_score.tolist() == [0.5] * 3
        assert found.pred_label.tolist() == []


def test_the_threshold_of_mmpretrain_is_not_there_to_be_mistaken_for_ours():
    assert linear_head(SCHEMA, threshold=0.3).thr is None


def test_thresholds_are_of_the_config_and_not_of_the_checkpoint():
    saved = Model(linear_head(SCHEMA, threshold=0.9)).state_dict()
    model = Model(linear_head(SCHEMA, threshold=0.2))
    model.load_state_dict(saved)
    assert model.head.threshold.tolist() == [pytest.approx(0.2)] * 3


def test_thresholds_other_than_a_half_are_logged(log):
    linear_head(SCHEMA)
    assert "threshold" not in log.text
    linear_head(SCHEMA, threshold=dict(Bag=0.3))
    assert "above its threshold: Bag 0.3, all others 0.5" in log.text
    linear_head(SCHEMA, threshold=0.4)
    assert "above its threshold: 0.4 for all attributes" in log.text


@pytest.mark.parametrize(
    ("threshold", "match"),
    [
        ([0.5, 0.5], r"2 thresholds for the 3 attributes of 'mine'"),
        (dict(Cape=0.5), "no attribute 'Cape'"),
        (1.5, r"'Hat' is 1\.5; .*from 0 to 1"),
        (dict(Bag="0.5"), r"'Bag' is '0\.5'"),
        (None, "'Hat' is None"),
    ],
)
def test_thresholds_that_fit_no_attribute_or_no_score_are_errors(threshold, match):
    with pytest.raises(ValueError, match=match):
        linear_head(SCHEMA, threshold=threshold)


@pytest.mark.parametrize("calibration", [None, CALIBRATION])
def test_a_decision_rule_decides_instead_of_the_threshold(calibration, log):
    head = linear_head(EXCLUSIVE, threshold=0.9)
    before = {name: value.clone() for name, value in head.state_dict().items()}
    rule = DecisionRule(EXCLUSIVE, (0.2, 0.5, 0.4), calibration)
    head.set_decision_rule(rule)
    assert str(rule) in log.text
    assert head.threshold.tolist() == pytest.approx(rule.thresholds)
    assert head.state_dict().keys() == before.keys()
    logits = 3 * torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
    found = head._get_predictions(logits, None)
    scores = np.stack([sample.pred_score.numpy() for sample in found])
    np.testing.assert_allclose(scores, rule.scores(logits.numpy()), atol=1e-6)
    for sample, decisions in zip(found, rule.decide(scores)):
        assert sample.pred_label.tolist() == np.flatnonzero(decisions).tolist()
    head._get_predictions(logits.bfloat16(), None)
    with pytest.raises(SchemaMismatchError):
        head.set_decision_rule(DecisionRule(OTHERS["another order"]))


def test_a_threshold_is_found_by_a_decomposed_name():
    schema = dict(names=["M\u00fctze", "Bag"])
    head = linear_head(schema, threshold={"Mu\u0308tze": 0.25})
    assert head.threshold.tolist() == [0.25, 0.5]
    twice = {"Mu\u0308tze": 0.25, "M\u00fctze": 0.75}
    with pytest.raises(ValueError, match="names an attribute twice"):
        linear_head(schema, threshold=twice)


def test_the_order_of_the_groups_does_not_change_the_state():
    groups = dict(foot=("Boots",), head=("Hat",))
    one, other = (
        linear_head(AttributeSchema(NAMES, dict(pairs), "mine")).get_extra_state()
        for pairs in (groups.items(), reversed(groups.items()))
    )
    assert torch.equal(one, other)


def test_the_cosine_head_scales_the_cosine_to_each_direction():
    torch.manual_seed(0)
    head = CosinePARHead(SCHEMA, in_channels=4, scale=7.0).double()
    feats = features().double()
    logits = head((feats,))
    for image, attribute in itertools.product(range(5), range(3)):
        one, other = feats[image], head.directions[attribute]
        cosine = one.dot(other) / (one.norm() * other.norm())
        assert logits[image, attribute].item() == pytest.approx(7 * cosine.item())


def test_directions_of_the_cosine_head_begin_as_in_the_official_code():
    """Uniform between -1 / sqrt(C) and 1 / sqrt(C)."""
    torch.manual_seed(0)
    lowest, highest = CosinePARHead(SCHEMA, in_channels=400).directions.aminmax()
    assert lowest.item() == pytest.approx(-0.05, rel=0.01)
    assert highest.item() == pytest.approx(0.05, rel=0.01)


def test_logits_can_be_normalized_over_the_batch():
    torch.manual_seed(0)
    head = LinearPARHead(SCHEMA, in_channels=4, batch_norm=True).double()
    feats = features().double()
    raw = head.classifier(feats)
    deviation = (raw.var(dim=0, unbiased=False) + head.norm.eps).sqrt()
    expected = (raw - raw.mean(dim=0)) / deviation
    torch.testing.assert_close(head((feats,)), expected)


def test_global_max_pooling_takes_the_largest_value_of_each_channel():
    maps = torch.tensor([[[[1.0, 5.0], [2.0, 3.0]], [[-4.0, -1.0], [-2.0, -3.0]]]])
    (pooled,) = GlobalMaxPooling()((maps,))
    assert pooled.tolist() == [[5.0, -1.0]]
