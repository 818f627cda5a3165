"""Draws predictions while a model is validated or tested."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmpar.registry import HOOKS
from mmpar.visualization import to_rgb_image


@HOOKS.register_module()
class PARVisualizationHook(Hook):
    """Draw every n-th sample of validation and test with the Runner's visualizer.

    mmpretrain's ``VisualizationHook`` calls what only its own visualizer has, and takes
    the pipeline's BGR for RGB.

    Args:
        enable: Whether to draw; off by default, as drawing takes time.
        interval: Draw the first of each so many samples.
        show: Whether to open a window for each.
        wait_time: Seconds that it stays open, 0 until a key is pressed.
        out_dir: Folder for the images, instead of the visualizer's backends.

    Raises:
        ValueError: The interval is not positive.
    """

    def __init__(
        self,
        enable: bool = False,
        interval: int = 1000,
        show: bool = False,
        wait_time: float = 0,
        out_dir: str | None = None,
    ) -> None:
        if interval < 1:
            raise ValueError(f"interval is 1 or more samples, got {interval}")
        self.enable = enable
        self.interval = interval
        self.show, self.wait_time = show, wait_time
        self.out_dir = out_dir
        self._seen = 0

    def _before_epoch(self, runner: Runner, mode: str = "train") -> None:
        """Count samples from 0."""
        self._seen = 0

    def _after_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Any = None,
        mode: str = "train",
    ) -> None:
        """Draw the samples of a validation or test batch whose turn it is."""
        if not self.enable or mode == "train":
            return
        step = runner.iter if mode == "val" else 0
        for inputs, sample in zip(data_batch["inputs"], outputs):
            number, self._seen = self._seen, self._seen + 1
            if number % self.interval:
                continue
            path = str(sample.get("img_path", ""))
            # No folders: MMEngine's local backend does not make them.
            name = f"{mode}_{number}_{Path(path).stem}"
            out_file = self.out_dir and str(Path(self.out_dir, f"{name}_{step}.png"))
            runner.visualizer.add_datasample(
                name,
                to_rgb_image(inputs, path),
                sample,
                show=self.show,
                wait_time=self.wait_time,
                out_file=out_file,
                step=step,
            )
