"""ALM against the linear baseline on SyntheticPAR: mA, and how well it localizes.

python tools/benchmarks/alm_synthetic.py --work-dir work_dirs/alm_synthetic

Both have ResNet-18 from random weights and the same budget. Boxes are compared with
the true ones of the attributes present in the test split, beside a box of the whole
picture.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.config import Config, DictAction
from mmengine.runner import Runner
from torch import Tensor

import mmpar  # noqa: F401  checks the installation, secures checkpoint loading

ROOT = Path(__file__).parents[2]
CONFIGS = {
    "linear": ROOT / "configs/baseline/baseline_r18_synthetic.py",
    "ALM": ROOT / "configs/alm/alm_r18_synthetic.py",
}


def train(name: str, seed: int, args: argparse.Namespace) -> Runner:
    """Train one model and leave the best checkpoint loaded."""
    cfg = Config.fromfile(CONFIGS[name])
    cfg.merge_from_dict(args.cfg_options or {})
    cfg.randomness.seed = seed
    cfg.work_dir = str(Path(args.work_dir) / f"{name}_seed{seed}")
    cfg.experiment_name = f"{name}_seed{seed}"
    runner = Runner.from_cfg(cfg)
    runner.train()
    best = sorted(Path(cfg.work_dir).glob("best_*.pth"))
    runner.load_checkpoint(str(best[-1]), map_location="cpu")
    return runner


def box_iou(boxes: Tensor, others: Tensor) -> Tensor:
    """Intersection over union of boxes in pairs, ``(*, 4)`` xyxy to ``(*)``."""
    corner = torch.minimum(boxes[..., 2:], others[..., 2:])
    overlap = (corner - torch.maximum(boxes[..., :2], others[..., :2])).clamp(min=0)
    areas = [(b[..., 2:] - b[..., :2]).prod(-1) for b in (boxes, others)]
    intersection = overlap.prod(-1)
    return intersection / (areas[0] + areas[1] - intersection).clamp(min=1e-9)


def localization(runner: Runner) -> dict[str, float]:
    """Mean IoU over all true boxes of the test split, per level and of the picture."""
    model = runner.model.eval()
    model.head.predict_boxes = True
    values: dict[str, list[Tensor]] = {}
    for batch in runner.test_loop.dataloader:
        with torch.no_grad():
            samples = model.test_step(batch)
        for sample in samples:
            truth = sample.gt_attribute_boxes
            known = ~truth.isnan().any(dim=-1) & (sample.gt_score == 1)
            height, width = sample.img_shape[:2]
            whole = truth.new_tensor([0, 0, width, height]).expand_as(truth)
            candidates = {"whole picture": whole}
            for level, boxes in enumerate(sample.pred_boxes):
                candidates[f"level {level + 1}"] = boxes
            for name, boxes in candidates.items():
                iou = box_iou(boxes[known], truth[known])
                values.setdefault(name, []).append(iou)
    return {name: float(torch.cat(parts).mean()) for name, parts in values.items()}


def spread(values: Sequence[float]) -> str:
    """Mean and standard deviation."""
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):.3f} +- {deviation:.3f}"


def main() -> None:
    """Train every seed of both, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work-dir", required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--cfg-options", nargs="+", action=DictAction)
    args = parser.parse_args()
    accuracies: dict[str, list[float]] = {name: [] for name in CONFIGS}
    ious: dict[str, list[float]] = {}
    for seed in args.seeds:
        for name in CONFIGS:
            runner = train(name, seed, args)
            accuracies[name].append(runner.test()["par/mA"])
            if name == "ALM":
                for place, iou in localization(runner).items():
                    ious.setdefault(place, []).append(iou)
    for name, values in accuracies.items():
        print(f"mA of {name}: {spread(values)} {values}")
    for place, values in ious.items():
        print(f"mean IoU, {place}: {spread(values)}")


if __name__ == "__main__":
    main()
