"""A Runner trains on a JointDataset."""

import cv2
from mmengine.config import Config
from mmengine.hooks import Hook

from mmpar.datasets import SyntheticPAR
from mmpar.engine import build_runner
from mmpar.structures import SCHEMAS
from tests.fixtures.trained import write_thin_config

NAMES = ["Cape", "Female"]


class Seen(Hook):
    """Which samples each epoch had, and of which dataset."""

    def __init__(self):
        self.epochs = []

    def before_train_epoch(self, runner):
        self.epochs.append([])

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        assert outputs["loss"].isfinite()
        samples = data_batch["data_samples"]
        self.epochs[-1] += [(s.dataset, s.sample_idx) for s in samples]


def drawn_list(folder):
    """Eight drawn people, listed with two attributes; one is new."""
    people = SyntheticPAR(
        num_samples=8, split="test", pipeline=[dict(type="DrawSyntheticPerson")]
    )
    lines = ["path," + ",".join(NAMES)]
    for i, person in enumerate(people):
        cv2.imwrite(str(folder / f"{i}.png"), person["img"])
        lines.append(f"{i}.png,{i % 4 == 0:d},{i % 2}")
    (folder / "list.csv").write_text("\n".join(lines))
    return dict(data_root=str(folder), ann_file="list.csv")


def test_a_runner_trains_on_the_union_and_draws_anew_each_epoch(tmp_path):
    cfg = Config.fromfile(write_thin_config("linear", tmp_path))
    drawn = cfg.train_dataloader.dataset
    steps = [dict(type="LoadPersonImage"), *cfg.train_pipeline[1:]]
    own = dict(type="AttributeListDataset", pipeline=steps, **drawn_list(tmp_path))
    cfg.train_dataloader.dataset = dict(type="JointDataset", datasets=[drawn, own])
    cfg.train_dataloader.sampler = dict(type="JointSampler", weights=[0.5, 1])
    pa100k = SCHEMAS["pa100k"]
    union = [*pa100k.names, "Cape"]
    cfg.model.head.schema = dict(names=union, groups=dict(pa100k.groups))
    for key in list(cfg):
        if key.startswith(("val_", "test_")):
            cfg.pop(key)
    cfg.protocol = "fixed-schedule"
    cfg.default_hooks.pop("checkpoint", None)
    cfg.train_cfg = dict(by_epoch=True, max_epochs=2)
    cfg.launcher = "none"
    cfg.work_dir = str(tmp_path / "work")
    runner = build_runner(cfg)
    seen = Seen()
    runner.register_hook(seen)
    runner.train()

    first, second = ({i for which, i in epoch if which == 0} for epoch in seen.epochs)
    assert len(first) == len(second) == 4
    assert first != second
    assert all(len(set(epoch)) == 12 for epoch in seen.epochs)
    ratio = runner.model.head.positive_ratio
    assert len(ratio) == len(union)
    assert float(ratio[-1]) == 0.25
