"""One scope finds the parts of mmpar, MMEngine and mmcv, and mmpretrain's by prefix."""

import logging

import pytest
from mmengine import registry as root
from mmengine.registry import DefaultScope, Registry

from mmpar import registry

WITH_PARENT = [
    value
    for value in vars(registry).values()
    if isinstance(value, Registry) and value is not registry.EXPLAINERS
]


@pytest.mark.parametrize(
    ("parts", "name", "module"),
    [
        (registry.MODELS, "SSPNetNeck", "mmpar"),
        (registry.MODELS, "WeightedBCELoss", "mmpar"),
        (registry.MODELS, "BaseDataPreprocessor", "mmengine"),
        (registry.MODELS, "mmpretrain.ResNet", "mmpretrain"),
        (registry.DATASETS, "PA100K", "mmpar"),
        (registry.DATASETS, "ConcatDataset", "mmengine"),
        (registry.DATASETS, "mmpretrain.CIFAR10", "mmpretrain"),
        (registry.TRANSFORMS, "LoadImageFromFile", "mmcv"),
        (registry.TRANSFORMS, "mmpretrain.PackInputs", "mmpretrain"),
        (registry.METRICS, "PARMetric", "mmpar"),
        (registry.METRICS, "mmpretrain.Accuracy", "mmpretrain"),
        (registry.HOOKS, "PositiveRatioHook", "mmpar"),
        (registry.HOOKS, "EMAHook", "mmengine"),
        (registry.OPTIMIZERS, "Adam", "torch"),
        (registry.LOOPS, "EpochBasedTrainLoop", "mmengine"),
        (registry.DATA_SAMPLERS, "DefaultSampler", "mmengine"),
        (registry.EXPLAINERS, "GradCAMP", "mmpar"),
        (registry.VISBACKENDS, "LocalVisBackend", "mmengine"),
    ],
)
def test_a_part_is_found_by_its_name(parts, name, module):
    found = parts.get(name)
    assert found is not None
    assert found.__name__ == name.split(".")[-1]
    assert found.__module__.split(".")[0] == module


@pytest.mark.parametrize("ours", WITH_PARENT, ids=lambda registry: registry.name)
def test_the_scope_is_found_from_the_root_without_a_warning(ours, caplog):
    parents = {r.name: r for r in vars(root).values() if isinstance(r, Registry)}
    caplog.set_level(logging.WARNING)
    with parents[ours.name].switch_scope_and_registry("mmpar") as found:
        assert found is ours
    assert "Failed to search registry" not in caplog.text


def test_a_config_of_the_scope_builds_parts_of_all_packages_without_a_warning(caplog):
    with (
        caplog.at_level(logging.WARNING),
        DefaultScope.overwrite_default_scope("mmpar"),
    ):
        model = root.MODELS.build(
            dict(
                type="mmpretrain.ImageClassifier",
                data_preprocessor=dict(type="mmpretrain.ClsDataPreprocessor"),
                backbone=dict(type="mmpretrain.ResNet", depth=18),
                neck=dict(type="mmpretrain.GlobalAveragePooling"),
                head=dict(type="LinearPARHead", schema="pa100k", in_channels=512),
            )
        )
    assert type(model.head).__module__.startswith("mmpar.")
    assert type(model.backbone).__module__.startswith("mmpretrain.")
    assert "Failed to search registry" not in caplog.text


def test_a_bare_name_of_mmpretrain_is_not_taken_for_ours():
    assert registry.MODELS.get("MultiLabelLinearClsHead") is None
