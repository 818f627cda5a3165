"""Measures how many planted label errors and stored-again images the doctor finds.

People of SyntheticPAR get labels of which a share is flipped at random. A linear
classifier on frozen features of an ImageNet backbone, cross-validated over five folds,
gives the probabilities that the doctor doubts labels by. Then some images are stored
again in several ways, and near copies are searched among all. Prints precision and
recall. WEIGHTS is a checkpoint of mmpretrain's MobileNetV2 (keys backbone.*).
"""

import argparse

import cv2
import numpy as np
import torch
from mmpretrain.models import MobileNetV2
from rich.progress import track
from torch.nn.functional import binary_cross_entropy_with_logits

from mmpar.datasets.splitting import split_by_person
from mmpar.evaluation.functional import find_label_errors
from mmpar.models.pretrained import PretrainedInit
from mmpar.synthetic import draw_person, labels_of_person
from mmpar.utils.perceptual_hash import group_near_copies, perceptual_hash

FOLDS = 5
MEAN, DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
STORED_AGAIN = {
    "JPEG, quality 90": lambda image: jpeg(image, 90),
    "JPEG, quality 50": lambda image: jpeg(image, 50),
    "JPEG, quality 30": lambda image: jpeg(image, 30),
    "half the size": lambda image: scaled(image, 0.5),
    "1.5 times the size": lambda image: scaled(image, 1.5),
    "0.75 times the size, JPEG 50": lambda image: jpeg(scaled(image, 0.75), 50),
    "mirrored": lambda image: np.ascontiguousarray(image[:, ::-1]),
    "mirrored, JPEG 50": lambda image: jpeg(image[:, ::-1].copy(), 50),
}


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    """The image after compression."""
    coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(coded, cv2.IMREAD_COLOR)


def scaled(image: np.ndarray, factor: float) -> np.ndarray:
    """The image in another size."""
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return cv2.resize(image, None, fx=factor, fy=factor, interpolation=how)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights")
    parser.add_argument("--num-samples", type=int, default=3000)
    parser.add_argument("--rates", type=float, nargs="+", default=[0.01, 0.05, 0.1])
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    people = range(args.num_samples)
    images = [
        draw_person(0, i, (64, 128)).image[..., ::-1] for i in track(people, "draw")
    ]
    labels = np.stack([labels_of_person(0, i) for i in people])
    print("| flipped | labels | suspects | precision | recall | first 10 % of them |")
    print("|---|---|---|---|---|---|")
    found = features(args.weights, images)
    for rate in args.rates:
        print(label_row(found, labels, rate))
    print("\n| stored again | precision | recall |\n|---|---|---|")
    for way in STORED_AGAIN:
        print(copy_row(images, way))


def features(weights: str, images: list[np.ndarray]) -> torch.Tensor:
    """Frozen features of the stage of stride 16, (N, 96 * 8 * 4), normalised."""
    backbone = MobileNetV2(out_indices=(4,))
    PretrainedInit(weights, prefix="backbone")(backbone)
    backbone.eval()
    parts = []
    for start in track(range(0, len(images), 50), "features"):
        batch = np.stack([image[..., ::-1] for image in images[start : start + 50]])
        pixels = (batch.astype(np.float32) - MEAN) / DEVIATION
        with torch.no_grad():
            given = torch.from_numpy(pixels).float().permute(0, 3, 1, 2)
            parts.append(backbone(given)[-1].flatten(1))
    found = torch.cat(parts)
    return (found - found.mean(0)) / (found.std(0) + 1e-3)


def label_row(found: torch.Tensor, labels: np.ndarray, rate: float) -> str:
    """Precision and recall with a share of the labels flipped."""
    flipped = np.random.default_rng(0).random(labels.shape) < rate
    given = np.where(flipped, 1 - labels, labels)
    errors = find_label_errors(given, probabilities(found, given))
    hits = flipped[tuple(errors.ranked().T)]
    first = hits[: round(0.1 * flipped.sum())]
    return (
        f"| {rate:.0%} | {flipped.sum():,} of {flipped.size:,} | {len(hits):,} | "
        f"{hits.mean():.1%} | {hits.sum() / flipped.sum():.1%} | {first.mean():.1%} |"
    )


def probabilities(found: torch.Tensor, labels: np.ndarray) -> np.ndarray:
    """Cross-validated, of a logistic regression per attribute, (N, A)."""
    folds = torch.from_numpy(
        split_by_person(labels, np.arange(len(labels)), [1] * FOLDS)
    )
    target = torch.from_numpy(labels).float()
    scores = torch.zeros_like(target)
    for fold in range(FOLDS):
        model = fit(found[folds != fold], target[folds != fold])
        with torch.no_grad():
            scores[folds == fold] = model(found[folds == fold]).sigmoid()
    return scores.numpy()


def fit(found: torch.Tensor, target: torch.Tensor) -> torch.nn.Linear:
    """Adam with decoupled weight decay; eight epochs."""
    torch.manual_seed(0)
    model = torch.nn.Linear(found.shape[1], target.shape[1])
    torch.nn.init.zeros_(model.weight)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, weight_decay=5)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.7)
    for _ in range(8):
        for rows in torch.randperm(len(found)).split(128):
            loss = binary_cross_entropy_with_logits(model(found[rows]), target[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    return model


def copy_row(images: list[np.ndarray], way: str) -> str:
    """Precision and recall of pairs, every fifth image stored again."""
    again = range(0, len(images), 5)
    copies = [STORED_AGAIN[way](np.ascontiguousarray(images[i])) for i in again]
    of = [*range(len(images)), *again]
    hashes = [perceptual_hash(np.ascontiguousarray(i)) for i in [*images, *copies]]
    groups = group_near_copies(hashes)
    pairs = [
        of[one] == of[other]
        for group in groups
        for k, one in enumerate(group)
        for other in group[k + 1 :]
    ]
    precision = np.mean(pairs) if pairs else float("nan")
    return f"| {way} | {precision:.1%} | {sum(pairs) / len(again):.1%} |"


if __name__ == "__main__":
    main()
