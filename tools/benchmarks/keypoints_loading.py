"""What keypoints cost a training: the pipeline with and without them, in turns.

python tools/benchmarks/keypoints_loading.py

Pictures of drawn people are written as JPEG files with a keypoint array beside them and
go through the training pipeline of each config. The cost of a sample is compared with
the sample's share of an iteration (forward, loss and backward of the config's model),
as if one process did everything; each further loading worker divides it. Prints a
Markdown table.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from mmpretrain.structures import DataSample
from turns import seconds

from mmpar.datasets import AttributeListDataset
from mmpar.datasets.keypoints import KeypointWriter
from mmpar.registry import MODELS
from mmpar.synthetic import draw_person

FOLDER = Path(__file__).parents[2] / "configs/sspnet"
CONFIGS = ("sspnet_r18_synthetic", "sspnet_r50_pa100k")


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=64)
    parser.add_argument("--turns", type=int, default=31, help="over all pictures")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--iterations", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2, help="of the model")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    return parser.parse_args()


def write_pictures(root: Path, count: int) -> None:
    """JPEG files, their list and their keypoints."""
    names = [f"{i}.jpg" for i in range(count)]
    writer = KeypointWriter(root / "keypoints.npy", names, "drawn")
    lines = []
    for i, name in enumerate(names):
        person = draw_person(0, i)
        cv2.imwrite(str(root / name), person.image[..., ::-1])
        keypoints = person.keypoints[None].clip(max=(np.inf, np.inf, 1))
        writer.write(np.array([i]), keypoints)
        lines.append(f"{name} {' '.join(map(str, person.labels.tolist()))}\n")
    writer.finish()
    (root / "list.txt").write_text("".join(lines), encoding="utf-8")


def pipeline_of(cfg: Config) -> list[ConfigDict | dict]:
    """The training pipeline, from files."""
    return [dict(type="LoadPersonImage"), *cfg.train_pipeline[1:]]


def pipeline_times(
    root: Path, cfg: Config, turns: int
) -> tuple[list[float], list[float]]:
    """Milliseconds a sample of each turn, without and with keypoints."""
    without, with_keypoints = (
        AttributeListDataset(
            data_root=str(root),
            ann_file="list.txt",
            schema=cfg.schema,
            pipeline=pipeline_of(cfg),
            keypoints=keypoints,
        )
        for keypoints in (None, "keypoints.npy")
    )
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(turns + 1):
        for own_times, dataset in zip(times, (without, with_keypoints)):
            np.random.seed(turn)  # the same crops and flips
            taken = 1e3 * seconds(lambda d=dataset: [d[i] for i in range(len(d))])
            if turn > 0:  # the first one warms up
                own_times.append(taken / len(dataset))
    return times


def iteration_time(cfg: Config, args: argparse.Namespace) -> float:
    """Milliseconds a sample of an iteration, the median."""
    cfg.model.backbone.init_cfg = None
    model = MODELS.build(cfg.model).to(args.device).train()
    num_attributes = len(model.head.schema)
    model.head.set_positive_ratio([0.5] * num_attributes)
    width, height = cfg.image_size
    images = torch.rand(args.batch_size, 3, height, width, device=args.device)
    samples = [labelled(num_attributes) for _ in images]
    samples = [sample.to(args.device) for sample in samples]

    def iterate() -> None:
        losses = model(images, samples, mode="loss")
        sum(loss for name, loss in losses.items() if "loss" in name).backward()
        model.zero_grad()

    iterate()
    times = [1e3 * seconds(iterate) for _ in range(args.iterations)]
    return statistics.median(times) / args.batch_size


def labelled(num_attributes: int) -> DataSample:
    """A sample with random labels."""
    labels = torch.randint(0, 2, (num_attributes,)).float()
    return DataSample().set_gt_score(labels)


def row(name: str, iteration: float, times: Sequence[Sequence[float]]) -> str:
    """A line of the table."""
    without, with_keypoints = map(statistics.median, times)
    extra = statistics.median(b - a for a, b in zip(*times))
    return (
        f"| {name} | {iteration:.1f} | {without:.3f} | {with_keypoints:.3f} | "
        f"{extra:.3f} | {extra / iteration:.2%} |"
    )


def main() -> None:
    """Print the table."""
    args = parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    cv2.setNumThreads(0)  # as in loading workers
    init_default_scope("mmpar")
    print("| model | iteration | pipeline | with keypoints | extra | of iteration |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        write_pictures(Path(folder), args.pictures)
        for name in CONFIGS:
            cfg = Config.fromfile(FOLDER / f"{name}.py")
            times = pipeline_times(Path(folder), cfg, args.turns)
            print(row(name, iteration_time(cfg, args), times), flush=True)
    print("\nmilliseconds a sample, medians")


if __name__ == "__main__":
    main()
