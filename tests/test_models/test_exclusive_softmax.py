"""The members of an exclusive set compete in a softmax with "none of them"."""

import itertools
import json

import pytest
import torch

from mmpar.models import (
    ALMHead,
    CosinePARHead,
    LinearPARHead,
    MultiLabelLoss,
    QueryPARHead,
    SSPNetHead,
)
from mmpar.models.layers import ExclusiveLogOdds, exclusive_set_losses
from mmpar.models.losses import WeightedBCELoss
from mmpar.structures import AttributeSchema, SchemaMismatchError
from tests.oracles.exclusive_softmax import answer_probabilities, set_loss, set_weight
from tests.oracles.weighted_bce import weighted_bce

AGES = ("Young", "Adult", "Old")
SCHEMA = AttributeSchema(
    ("Hat", "Young", "Front", "Adult", "Back", "Old"),
    exclusive=[AGES, ("Front", "Back")],
)
SETS = ((1, 3, 5), (2, 4))
# Those of Front and Back add up to more than 1, as where labels are unknown.
RATIOS = torch.tensor([0.3, 0.2, 0.6, 0.5, 0.5, 0.1], dtype=torch.float64)


def random_logits(images=7):
    generator = torch.Generator().manual_seed(0)
    shape = (images, len(SCHEMA))
    return 3 * torch.randn(shape, dtype=torch.float64, generator=generator)


def random_labels(images=7):
    generator = torch.Generator().manual_seed(1)
    labels = torch.randint(-1, 2, (images, len(SCHEMA)), generator=generator)
    labels[0, 1:] = -1  # nothing is known
    labels[1, 1:] = 0  # none of them
    labels[2, 1:] = 1  # against the rule
    return labels.double()


def test_the_sigmoid_of_log_odds_is_the_softmax():
    logits = random_logits()
    scores = ExclusiveLogOdds(len(SCHEMA), SETS)(logits).sigmoid()
    expected = logits.sigmoid()
    for image, members in itertools.product(range(len(logits)), map(list, SETS)):
        chances = answer_probabilities(logits[image, members].tolist())
        expected[image, members] = torch.tensor(chances[:-1], dtype=torch.float64)
    torch.testing.assert_close(scores, expected, rtol=1e-12, atol=0)


def test_an_attribute_by_itself_is_a_set_of_one():
    logits = random_logits()
    one_each = ExclusiveLogOdds(len(SCHEMA), [(i,) for i in range(len(SCHEMA))])
    torch.testing.assert_close(one_each(logits), logits, rtol=0, atol=0)
    assert torch.equal(ExclusiveLogOdds(len(SCHEMA), [])(logits), logits)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_of_a_set_is_the_likelihood_of_all_its_labels(smoothing):
    labels = torch.tensor(list(itertools.product((-1, 0, 1), repeat=3))).double()
    generator = torch.Generator().manual_seed(2)
    logits = 4 * torch.randn(labels.shape, dtype=torch.float64, generator=generator)
    found = exclusive_set_losses(logits, labels, smoothing)
    rows = zip(logits.tolist(), labels.int().tolist())
    expected = [set_loss(*row, smoothing) for row in rows]
    assert found.tolist() == pytest.approx(expected, rel=1e-12)
    assert min(expected) == 0 < max(expected)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_gradients_of_a_set_pass_gradcheck_and_are_finite_far_out(smoothing):
    labels = torch.tensor(list(itertools.product((-1, 0, 1), repeat=2))).double()
    logits = torch.zeros_like(labels).requires_grad_()
    call = lambda x: exclusive_set_losses(x, labels, smoothing)  # noqa: E731
    assert torch.autograd.gradcheck(call, (logits,))
    far = torch.full_like(labels, 1e4)
    far[:, 0] = -1e4
    far = far.float().requires_grad_()
    losses = exclusive_set_losses(far, labels.float(), smoothing)
    assert losses.isfinite().all()
    assert torch.autograd.grad(losses.sum(), far)[0].isfinite().all()


@pytest.mark.parametrize(
    "weighting", ["exponential", "square_root", "strong_baseline_square_root", None]
)
def test_sets_of_one_have_the_loss_of_attributes_by_themselves(weighting):
    logits, labels = random_logits(), random_labels()
    loss = WeightedBCELoss(weighting)
    apart = loss(logits, labels, RATIOS)
    sets = [(i,) for i in range(len(SCHEMA))]
    torch.testing.assert_close(loss(logits, labels, RATIOS, sets), apart)


@pytest.mark.parametrize("weighting", ["exponential", "square_root", None])
def test_the_loss_is_that_of_sets_and_of_the_others(weighting):
    logits, labels = random_logits(), random_labels()
    alone = [0]
    total = weighted_bce(logits[:, alone], labels[:, alone], RATIOS[alone], weighting)
    for members in map(list, SETS):
        ratios = RATIOS[members].tolist()
        for logit_row, row in zip(logits[:, members].tolist(), labels[:, members]):
            row = row.int().tolist()
            weight = set_weight(row, ratios, weighting)
            total = total + weight * set_loss(logit_row, row) / len(logits)
    found = WeightedBCELoss(weighting)(logits, labels, RATIOS, SETS)
    torch.testing.assert_close(found, total, rtol=1e-12, atol=0)


def test_ratios_of_set_members_that_are_not_set_are_an_error():
    ratios = RATIOS.clone()
    ratios[3] = float("nan")
    with pytest.raises(RuntimeError, match="PositiveRatioHook"):
        WeightedBCELoss()(random_logits(), random_labels(), ratios, SETS)


HEADS = ["linear", "cosine", "query", "sspnet", "alm"]


def heads(schema, **kwargs):
    regions = dict(all=dict(level=1, rows=(0, 1)))
    generator = torch.Generator().manual_seed(3)
    maps = torch.rand(2, 4, 8, 4, generator=generator)
    pooled, patches = (maps.mean((2, 3)),), (maps.flatten(2).transpose(1, 2),)
    return {
        "linear": (LinearPARHead(schema, 4, **kwargs), pooled),
        "cosine": (CosinePARHead(schema, 4, **kwargs), pooled),
        "query": (QueryPARHead(schema, 4, **kwargs), patches),
        "sspnet": (SSPNetHead(schema, regions, 4, **kwargs), {"all": maps}),
        "alm": (ALMHead(schema, (4,), channels=16, **kwargs), [maps]),
    }


@pytest.mark.parametrize("name", HEADS)
def test_the_scores_of_every_head_leave_room_for_none_of_them(name):
    torch.manual_seed(4)
    head, feats = heads(SCHEMA, exclusive_softmax=True)[name]
    for weights in head.parameters():
        torch.nn.init.normal_(weights)
    head.set_positive_ratio(RATIOS.tolist())
    head.eval()
    scores = head(feats).sigmoid()
    raw = head.logits(feats)
    torch.testing.assert_close(scores[:, 0], raw[:, 0].sigmoid())
    for members in map(list, SETS):
        answers = torch.cat((raw[:, members], torch.zeros(2, 1)), dim=1).softmax(1)
        torch.testing.assert_close(scores[:, members], answers[:, :-1])


@pytest.mark.parametrize("name", HEADS)
def test_every_head_trains_by_the_loss_of_sets(name):
    from mmpretrain.structures import DataSample

    torch.manual_seed(5)
    head, feats = heads(SCHEMA, exclusive_softmax=True)[name]
    head.set_positive_ratio(RATIOS.tolist())
    labels = torch.tensor([[1.0, 0, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1]])
    samples = [DataSample().set_gt_score(row) for row in labels]
    head.eval()  # no dropout
    found = sum(head.loss(feats, samples).values())
    levels = head.predict_levels(feats)[0] if name == "alm" else [head.logits(feats)]
    wanted = sum(
        head.loss_module(level, labels, head.positive_ratio, SETS) for level in levels
    )
    torch.testing.assert_close(found, wanted)


def load(head, other):
    head.load_state_dict(other.state_dict())


def test_a_checkpoint_of_other_scores_is_refused():
    softmax = LinearPARHead(SCHEMA, 4, exclusive_softmax=True)
    sigmoid = LinearPARHead(SCHEMA, 4)
    load(LinearPARHead(SCHEMA, 4, exclusive_softmax=True), softmax)
    with pytest.raises(SchemaMismatchError, match=r"exclusive_softmax=True"):
        load(sigmoid, softmax)
    with pytest.raises(SchemaMismatchError, match=r"exclusive_softmax=False"):
        load(softmax, sigmoid)
    fewer = AttributeSchema(SCHEMA.names, exclusive=[AGES])
    with pytest.raises(SchemaMismatchError, match=r"Front.*Back.*exclusive sets"):
        load(LinearPARHead(fewer, 4, exclusive_softmax=True), softmax)


def test_the_state_of_a_head_without_sets_is_as_before():
    state = LinearPARHead(SCHEMA, 4).get_extra_state()
    assert json.loads(state.numpy().tobytes()) == SCHEMA.to_dict()


def test_sets_with_a_common_member_are_an_error():
    schema = AttributeSchema(
        ("A", "B", "C"), exclusive=[("A", "B"), ("B", "C")], title="mine"
    )
    LinearPARHead(schema, 4)
    with pytest.raises(ValueError, match=r"\['B'\] of 'mine'.*disjoint"):
        LinearPARHead(schema, 4, exclusive_softmax=True)


def test_a_loss_of_single_labels_cannot_judge_sets():
    loss = MultiLabelLoss(dict(type="mmpretrain.FocalLoss"))
    with pytest.raises(ValueError, match=r"exclusive_softmax=True.*WeightedBCELoss"):
        loss(random_logits(), random_labels(), RATIOS, SETS)
