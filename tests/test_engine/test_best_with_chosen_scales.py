"""The best checkpoint of a training with learned scales has chosen levels."""

import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmpar.engine import ScaleAnnealingHook
from mmpar.models import SSPNetNeck

REGIONS = dict(head=dict(rows=(0, 0.5)), whole=dict(rows=(0, 1)))
# Two iterations an epoch: the levels are chosen before the fourth of five. Models with
# soft levels score better.
COMMIT_AT = 0.6
SCORES = dict(mA=(90.0, 80.0, 85.0, 50.0, 60.0), F1=(70.0, 90.0, 80.0, 40.0, 30.0))
BEST = dict(mA="best_mA_epoch_5.pth", F1="best_F1_epoch_4.pth")


class Model(BaseModel):
    """No more than a neck of which the scales are learned."""

    def __init__(self):
        super().__init__()
        self.neck = SSPNetNeck(
            (2, 2), REGIONS, out_channels=2, scale=dict(mode="learned")
        )

    def forward(self, inputs, mode="tensor"):
        if mode == "predict":
            return [inputs]
        return dict(loss=sum(p.sum() for p in self.parameters()) * 0)


class Scripted(BaseMetric):
    """Scores of the epoch."""

    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        epoch = MessageHub.get_current_instance().get_info("epoch")
        return {name: scores[epoch] for name, scores in SCORES.items()}


class Stop(Hook):
    """Ends the training before an epoch, counted from 0."""

    def __init__(self, epoch):
        self.epoch = epoch

    def before_train_epoch(self, runner):
        if runner.epoch == self.epoch:
            raise KeyboardInterrupt


def runner(work_dir, name, save_best, hooks=(), resume=False):
    torch.manual_seed(0)
    data = [dict(inputs=torch.zeros(1))] * 2
    return Runner(
        Model(),
        str(work_dir),
        train_dataloader=DataLoader(data),
        val_dataloader=DataLoader(data),
        train_cfg=dict(by_epoch=True, max_epochs=5, val_interval=1),
        val_cfg=dict(),
        val_evaluator=[Scripted()],
        optim_wrapper=dict(optimizer=dict(type="SGD", lr=0.1)),
        default_hooks=dict(
            checkpoint=dict(
                type="CheckpointHook", interval=1, save_best=save_best, rule="greater"
            )
        ),
        custom_hooks=[ScaleAnnealingHook(commit_at=COMMIT_AT), *hooks],
        experiment_name=f"{work_dir.name}_{name}",
        resume=resume,
    )


def require_chosen(work_dir, metrics):
    found = sorted(path.name for path in work_dir.glob("best_*.pth"))
    assert found == sorted(BEST[name] for name in metrics)
    for name in found:
        state = torch.load(work_dir / name, weights_only=False)["state_dict"]
        chosen = [value for key, value in state.items() if key.endswith(".chosen")]
        assert chosen
        assert min(chosen) >= 0


@pytest.mark.parametrize("metrics", [["mA"], ["mA", "F1"]])
def test_the_best_is_looked_for_among_models_with_chosen_levels(tmp_path, metrics):
    runner(tmp_path, "whole", metrics).train()
    require_chosen(tmp_path, metrics)


@pytest.mark.parametrize("stop", [2, 4])
def test_also_when_the_run_was_resumed_before_or_after_the_choice(tmp_path, stop):
    with pytest.raises(KeyboardInterrupt):
        runner(tmp_path, "first", ["mA"], [Stop(stop)]).train()
    runner(tmp_path, "second", ["mA"], resume=True).train()
    require_chosen(tmp_path, ["mA"])
