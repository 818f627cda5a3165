"""A config without mmpar's default runtime is trained and tested by what it says."""

import pytest
from mmengine.config import Config

from mmpar.engine import build_runner
from mmpar.structures import SCHEMAS, SchemaMismatchError
from mmpar.utils.cli import runner_arguments
from mmpar.utils.config import read_runner_config

SCHEMA = SCHEMAS["pa100k"]
MODEL = dict(
    type="PARClassifier",
    data_preprocessor=dict(type="mmpretrain.ClsDataPreprocessor", to_rgb=True),
    backbone=dict(type="mmpretrain.ResNet", depth=18, base_channels=8, stem_channels=8),
    neck=dict(type="mmpretrain.GlobalAveragePooling"),
)


def bare_config(folder, **head):
    """Model, data, optimizer and length, and nothing that mmpar adds to them."""
    steps = [
        dict(type="DrawSyntheticPerson"),
        dict(type="Resize", scale=(16, 32)),
        dict(type="PackPARInputs"),
    ]
    loader = dict(
        batch_size=4,
        sampler=dict(type="DefaultSampler", shuffle=True),
        dataset=dict(type="SyntheticPAR", split="val", num_samples=4, pipeline=steps),
    )
    own = dict(type="LinearPARHead", in_channels=64, schema="pa100k")
    fields = dict(
        model=dict(MODEL, head={**own, **head}),
        train_dataloader=loader,
        train_cfg=dict(by_epoch=True, max_epochs=1),
        optim_wrapper=dict(optimizer=dict(type="SGD", lr=0.01)),
        test_dataloader=loader,
        test_cfg=dict(),
        test_evaluator=dict(type="PARMetric"),
    )
    path = folder / f"{folder.name}.py"  # names the logger, too
    Config(fields).dump(path)
    args = runner_arguments("").parse_args([str(path), "--work-dir", str(folder)])
    return read_runner_config(args)


def test_types_without_a_scope_are_mmpar_s_and_loaders_need_no_workers(tmp_path):
    runner = build_runner(
        bare_config(tmp_path, loss=dict(type="WeightedBCELoss", weighting=None))
    )
    runner.train()
    assert 0 <= runner.test()["par/mA"] <= 100
    assert (tmp_path / "epoch_1.pth").is_file()


def test_data_of_another_schema_are_not_trained_on(tmp_path):
    names = SCHEMA.names[::-1]  # as many
    runner = build_runner(bare_config(tmp_path, schema=dict(names=names, title="own")))
    with pytest.raises(SchemaMismatchError, match="the model and the training data"):
        runner.train()


def test_a_weighted_loss_without_ratios_names_their_hook(tmp_path):
    runner = build_runner(bare_config(tmp_path))
    with pytest.raises(RuntimeError, match="PositiveRatioHook"):
        runner.train()
