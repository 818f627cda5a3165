"""Hooks bring ratios to the loss, refuse other schemas and change the layout."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mmpar.engine import PositiveRatioHook, SchemaCheckHook
from mmpar.models import LinearPARHead
from mmpar.structures import SCHEMAS, AttributeSchema, SchemaMismatchError

SCHEMA = AttributeSchema(names=("Hat", "Boots"), title="two")


class Labelled:
    """A dataset of three samples, of which the trained split is used."""

    metainfo = dict(schema=SCHEMA.to_dict(), classes=list(SCHEMA.names))
    labels = np.array([[1, -1], [0, 1], [0, 0]])

    def __len__(self):
        return len(self.labels)

    def label_counts(self, sample_weight=None):
        times = np.ones(3, int) if sample_weight is None else sample_weight
        return times @ (self.labels == 1), times @ (self.labels >= 0)


def runner(schema=SCHEMA):
    loader = SimpleNamespace(dataset=Labelled())
    model = torch.nn.Module()
    model.head = LinearPARHead(schema, in_channels=4)
    return SimpleNamespace(
        model=model,
        train_dataloader=loader,
        val_dataloader=loader,
        test_dataloader=loader,
    )


def test_ratios_of_known_training_labels_reach_the_head_and_its_state_dict():
    here = runner()
    assert here.model.head.positive_ratio.isnan().all()
    PositiveRatioHook().before_train(here)
    saved = here.model.state_dict()["head.positive_ratio"]
    torch.testing.assert_close(saved, torch.tensor([1 / 3, 1 / 2]))


@pytest.mark.parametrize("stage", ["before_train", "before_val", "before_test"])
def test_data_of_another_schema_is_refused_with_both_schemas(stage):
    getattr(SchemaCheckHook(), stage)(runner())
    with pytest.raises(SchemaMismatchError) as error:
        getattr(SchemaCheckHook(), stage)(runner(SCHEMAS["pa100k"]))
    assert "Boots" in str(error.value)
    assert "UpperPlaid" in str(error.value)


def test_a_test_loop_may_be_meant_for_data_of_another_schema():
    here = runner(SCHEMAS["pa100k"])
    here.test_loop = SimpleNamespace(is_for_other_attributes=True)
    SchemaCheckHook().before_test(here)
    with pytest.raises(SchemaMismatchError):
        SchemaCheckHook().before_val(here)
