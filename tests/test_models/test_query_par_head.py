"""One query per attribute, against attention written out."""

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope
from mmpretrain.structures import DataSample

from mmpar.models import QueryPARHead, TextQueries
from mmpar.structures import AttributeSchema
from tests.oracles.query_attention import query_logits

SCHEMA = AttributeSchema(("Hat", "Bag", "Long", "Boots"))


def random_head(**options):
    head = QueryPARHead(SCHEMA, in_channels=16, **options).double()
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter)
    return head


@torch.no_grad()
def test_logits_are_those_of_attention_written_out():
    head = random_head()
    lengths = torch.logspace(-1, 1, 7, dtype=torch.float64)
    patches = torch.randn(3, 7, 16, dtype=torch.float64) * lengths[:, None]
    expected = query_logits(
        patches.numpy(),
        head.queries.numpy(),
        head.classifier.weight.numpy(),
        head.classifier.bias.numpy(),
        head.log_scale.exp().item(),
    )
    np.testing.assert_allclose(head((patches,)).numpy(), expected, rtol=0, atol=1e-10)


def test_cosines_are_scaled_as_clip_begins():
    log_scale = QueryPARHead(SCHEMA, in_channels=16).log_scale
    assert log_scale.exp().item() == pytest.approx(1 / 0.07)


def test_every_parameter_learns():
    head = random_head()
    sample = DataSample().set_gt_score(torch.tensor([1.0, 0, 1, 0]))
    head.set_positive_ratio([0.5] * 4)
    loss = head.loss((torch.randn(1, 7, 16, dtype=torch.float64),), [sample])["loss"]
    loss.backward()
    for name, parameter in head.named_parameters():
        assert parameter.grad.abs().max() > 0, name


def test_the_classifier_begins_near_zero_so_that_scores_begin_alike():
    with DefaultScope.overwrite_default_scope("mmpar"):
        head = QueryPARHead(SCHEMA, in_channels=512)
        head.init_weights()
    assert head.classifier.weight.std().item() == pytest.approx(0.001, rel=0.1)


def test_an_embedding_of_the_whole_image_is_refused():
    with pytest.raises(ValueError, match=r"\(2, 16\); set model.backbone.patches"):
        random_head()((torch.zeros(2, 16, dtype=torch.float64),))


def texts(path, names=SCHEMA.names, width=16):
    embeddings = np.arange(len(names) * width, dtype=np.float32).reshape(-1, width)
    np.savez(path, names=names, prompts=names, embeddings=embeddings)
    return embeddings


def begun(path):
    """A head whose queries are begun from a file."""
    with DefaultScope.overwrite_default_scope("mmpar"):
        head = QueryPARHead(SCHEMA, 16, init_cfg=dict(type="TextQueries", file=path))
        head.init_weights()
    return head


def test_queries_begin_as_texts(tmp_path):
    path = str(tmp_path / "texts.npz")
    expected = texts(path)
    np.testing.assert_array_equal(begun(path).queries.detach().numpy(), expected)


def test_queries_of_a_head_that_stands_alone_can_be_set(tmp_path):
    path, head = str(tmp_path / "texts.npz"), random_head()
    expected = texts(path)
    TextQueries(path)(head)
    np.testing.assert_array_equal(head.queries.detach().numpy(), expected)


def test_texts_of_other_attributes_are_refused(tmp_path):
    path = str(tmp_path / "texts.npz")
    texts(path, names=("Bag", "Hat", "Long", "Boots"))
    with pytest.raises(ValueError, match=r"texts of \['Bag', 'Hat'.*head predicts"):
        begun(path)


def test_texts_of_another_tower_are_refused(tmp_path):
    path = str(tmp_path / "texts.npz")
    texts(path, width=8)
    with pytest.raises(ValueError, match=r"\(4, 8\), but the queries have \(4, 16\)"):
        begun(path)


@pytest.mark.parametrize(
    ("names", "embeddings"),
    [
        (np.arange(4), np.ones((4, 16))),
        (np.array(SCHEMA.names), np.ones((4, 16), int)),
        (np.array(SCHEMA.names), np.ones((4, 16, 1))),
        (np.array(SCHEMA.names), np.ones((3, 16))),
    ],
    ids=["names", "whole numbers", "axes", "rows"],
)
def test_texts_of_other_types_or_shapes_are_refused(names, embeddings, tmp_path):
    path = str(tmp_path / "texts.npz")
    np.savez(path, names=names, embeddings=embeddings)
    with pytest.raises(ValueError, match=r"expected text \(A,\) and numbers \(A, D\)"):
        begun(path)


def test_missing_texts_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"cache_features\.py writes it"):
        begun(str(tmp_path / "texts.npz"))
