"""The hook lowers the temperature, chooses, shows the prior, and goes on resumed."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.visualization import Visualizer
from PIL import Image

from mmpar.engine import ScaleAnnealingHook
from mmpar.engine.hooks.scale_annealing_hook import tabulate_prior
from mmpar.models import SSPNetNeck

REGIONS = dict(head=dict(rows=(0, 0.5), level=1), whole=dict(rows=(0, 1), level=2))


class Runner(SimpleNamespace):
    """What the hook sees of a runner, with a log that can be read."""

    def __init__(self, tmp_path, mode="learned", max_iters=10):
        model = torch.nn.Module()
        model.neck = SSPNetNeck((2, 2), REGIONS, out_channels=2, scale=dict(mode=mode))
        self.lines, self.warnings = [], []
        super().__init__(
            model=model,
            iter=0,
            max_iters=max_iters,
            visualizer=Visualizer(
                vis_backends=[dict(type="LocalVisBackend")], save_dir=str(tmp_path)
            ),
            message_hub=MessageHub("scales"),
            logger=SimpleNamespace(
                info=lambda text, *values: self.lines.append(text % values),
                warning=self.warnings.append,
            ),
        )

    @property
    def scales(self):
        return self.model.neck.scale_selection

    def run(self, hook, stop):
        """Iterations up to ``stop``; the temperature of each until the choice."""
        temperatures = []
        hook.before_train(self)
        while self.iter < stop:
            hook.before_train_iter(self, self.iter)
            if not self.scales.frozen:
                temperatures.append(self.scales.temperature.item())
            self.iter += 1
        return temperatures


def test_the_table_has_one_row_per_region_and_the_level_it_is_read_from():
    weights = np.array([[0.7, 0.2, 0.1], [0.0, 0.25, 0.75]])
    table = tabulate_prior(("head", "whole"), weights, (0, 2))
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in table.splitlines()
        if line.startswith("|")
    ]
    assert cells == [
        ["region", "P1", "P2", "P3", "read from"],
        ["head", "0.700", "0.200", "0.100", "P1"],
        ["whole", "0.000", "0.250", "0.750", "P3"],
    ]


def test_the_temperature_falls_exponentially_and_then_levels_are_chosen(tmp_path):
    runner = Runner(tmp_path)
    for scale, row in zip(runner.scales.regions.values(), ([0.0, 0.1], [0.1, 0.0])):
        scale.logits.data = torch.tensor(row)
    hook = ScaleAnnealingHook(2.0, 0.02, begin_at=0.2, commit_at=0.6)
    temperatures = runner.run(hook, stop=10)
    expected = [math.inf, math.inf, *(2 * 0.01 ** (i / 4) for i in range(4))]
    assert temperatures == pytest.approx(expected)
    assert runner.scales.levels() == (1, 0)
    assert runner.scales.temperature.item() == pytest.approx(0.02)


def test_the_prior_is_logged_and_drawn_when_chosen_and_at_the_end(tmp_path):
    runner, hook = Runner(tmp_path), ScaleAnnealingHook()
    runner.run(hook, stop=6)
    assert not list(tmp_path.rglob("*.png"))
    runner.run(hook, stop=10)
    hook.after_train(runner)
    images = sorted(tmp_path.rglob("*.png"))
    assert [path.name for path in images] == ["scale_prior_10.png", "scale_prior_6.png"]
    assert all(min(Image.open(path).size) > 200 for path in images)
    chosen, end = runner.lines
    assert chosen.startswith("Scale prior chosen, temperature 0.1:\n")
    assert end.startswith("Scale prior at the end")
    for text in runner.lines:
        assert "| head   | 0.500 | 0.500 |        P2 |" in text


@pytest.mark.parametrize("stopped", [3, 8])
def test_a_resumed_run_has_the_same_temperatures_and_choice(tmp_path, stopped):
    whole = Runner(tmp_path)
    expected = whole.run(ScaleAnnealingHook(), stop=10)
    first = Runner(tmp_path)
    temperatures = first.run(ScaleAnnealingHook(), stop=stopped)
    second = Runner(tmp_path)
    second.model.load_state_dict(first.model.state_dict())
    second.iter = stopped
    assert second.scales.frozen == (stopped > 6)
    temperatures += second.run(ScaleAnnealingHook(), stop=10)
    assert temperatures == expected
    assert second.scales.levels() == whole.scales.levels()
    # The choice is not reported twice.
    assert len(first.lines) + len(second.lines) == 1
    assert not second.warnings


def test_levels_that_a_new_run_starts_with_are_kept_with_a_warning(tmp_path):
    first, second = Runner(tmp_path), Runner(tmp_path)
    first.run(ScaleAnnealingHook(), stop=10)
    assert not first.warnings
    second.model.load_state_dict(first.model.state_dict())
    second.run(ScaleAnnealingHook(), stop=10)
    assert second.scales.levels() == first.scales.levels()
    assert not second.lines  # nothing chosen
    (warning,) = second.warnings
    assert "are kept" in warning
    # The remedy that it names is one.
    kept = {
        name: value
        for name, value in first.model.state_dict().items()
        if "neck.scale_selection." not in name
    }
    third = Runner(tmp_path)
    third.model.load_state_dict(kept, strict=False)
    assert len(third.run(ScaleAnnealingHook(), stop=10)) == 6
    assert not third.warnings


def test_fixed_scales_cannot_be_annealed(tmp_path):
    with pytest.raises(ValueError, match=r"found no scale prior.*scale_annealing=None"):
        ScaleAnnealingHook().before_train(Runner(tmp_path, mode="fixed"))


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        (dict(end=0.0), "0 < end <= start, got start=1.0, end=0.0"),
        (dict(start=0.05), "0 < end <= start, got start=0.05"),
        (dict(commit_at=1.0), "commit_at < 1, got 0.1 and 1.0"),
        (dict(begin_at=0.7), "begin_at < commit_at < 1, got 0.7 and 0.6"),
    ],
)
def test_temperatures_and_moments_that_make_no_sense_are_errors(settings, match):
    with pytest.raises(ValueError, match=match):
        ScaleAnnealingHook(**settings)
