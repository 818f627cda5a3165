"""A training whose samples and dropout would go another way if it resumed badly."""

import random

import numpy as np
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from torch import nn

from mmpar.engine import PARRunner
from mmpar.utils.checkpoint_files import load_from_local
from tests.fixtures.trained import CONFIGS

HOOKS = Config.fromfile(CONFIGS / "_base_/default_runtime.py")


def hooks_without_schema():
    """The shipped hooks, but for those that read a PAR dataset's schema and labels."""
    hooks = HOOKS.default_hooks.to_dict()
    of_par = ("schema_check", "positive_ratio", "training_record")
    return {name: hook for name, hook in hooks.items() if name not in of_par}


class Noise(torch.utils.data.Dataset):
    """Eight samples that all three generators disturb, as augmentations do."""

    def __len__(self):
        return 8

    def __getitem__(self, index):
        drawn = [random.random(), np.random.rand(), torch.rand(()).item()]
        return dict(inputs=torch.tensor([index, *drawn], dtype=torch.float32))


class Net(BaseModel):
    """A linear layer behind dropout."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 1))

    def forward(self, inputs, mode="tensor"):
        out = self.layers(torch.stack(list(inputs)))
        return dict(loss=(out - 1).square().mean()) if mode == "loss" else list(out)


class Scores(BaseMetric):
    """The score that a test gives to the epoch that is validated."""

    default_prefix = "par"
    epoch = 0

    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        return dict(mA=0.5)


class EpochHook(Hook):
    """Tells the scores of which epoch the weights are."""

    def before_val(self, runner):
        Scores.epoch = runner.epoch


def runner(
    work_dir, workers, by_epoch=True, resume=None, steps=3, val=False, hooks=(), **optim
):
    """A Runner of the shipped hooks, with what needs a PAR model left out."""
    loader = dict(
        batch_size=2,
        num_workers=workers,
        persistent_workers=workers > 0,
        dataset=Noise(),
        sampler=dict(
            type="DefaultSampler" if by_epoch else "InfiniteSampler", shuffle=True
        ),
    )
    checkpoint = dict(HOOKS.default_hooks.checkpoint, by_epoch=by_epoch)
    if not val:
        checkpoint["save_best"] = None
    length = dict(max_epochs=steps) if by_epoch else dict(max_iters=steps)
    more = {}
    if val:
        sampler = dict(type="DefaultSampler", shuffle=False)
        more = dict(
            val_dataloader=dict(batch_size=8, dataset=Noise(), sampler=sampler),
            val_cfg=dict(),
            val_evaluator=[Scores()],
        )
    torch.manual_seed(0)  # the model is built before the Runner sets its own seed
    return PARRunner(
        model=Net(),
        work_dir=str(work_dir),
        train_dataloader=loader,
        train_cfg=dict(by_epoch=by_epoch, val_interval=1, **length),
        optim_wrapper=dict(optimizer=dict(type="Adam", lr=0.01), **optim),
        default_hooks=dict(
            hooks_without_schema(),
            checkpoint=checkpoint,
            resume=dict(type="ResumeHook"),  # as build_runner adds it
        ),
        custom_hooks=[EpochHook(), *hooks],
        load_from=str(resume) if resume else None,
        resume=resume is not None,
        randomness=dict(seed=3),
        default_scope="mmpar",
        experiment_name=f"{work_dir}_{next(_NUMBERS)}",
        **more,
    )


def weights(path):
    """The state dict of a checkpoint, as one vector."""
    state = load_from_local(str(path), map_location="cpu")["state_dict"]
    return torch.cat([value.flatten() for value in state.values()])


_NUMBERS = iter(range(10**6))
