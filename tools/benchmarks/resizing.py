"""Time and faithfulness of ways to decode and resize, in turns.

python tools/benchmarks/resizing.py

Each form turns the bytes of JPEG files of several sizes into uint8 arrays at 256x192.
What the official codes do (Pillow decodes, Pillow's bilinear filter resizes) is the
measure of the pixels. Prints a Markdown table: milliseconds an image, the median of the
turns, and how far its pixels lie from that in grey levels, the largest and the mean.
"""

from __future__ import annotations

import argparse
import io
import statistics
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch
from PIL import Image
from torchvision.transforms.v2 import functional
from turns import turns

from mmpar.datasets.transforms.resize import resize_antialiased
from mmpar.synthetic import draw_person

SIZE = (192, 256)  # (W, H)
BILINEAR = Image.Resampling.BILINEAR


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--heights", type=int, nargs="+", default=[80, 160, 260, 400, 800, 1600]
    )
    parser.add_argument("--images", type=int, default=16, help="of each height")
    parser.add_argument("--repeats", type=int, default=15)
    return parser.parse_args()


def jpeg_files(height: int, count: int) -> list[bytes]:
    """Drawn people, 5 high and 2 wide, with the grain of a sensor."""
    files = []
    for i in range(count):
        drawn = Image.fromarray(draw_person(0, i).image)
        image = np.asarray(drawn.resize((height * 2 // 5, height), BILINEAR), float)
        image += np.random.default_rng(i).normal(0, 12, image.shape)
        encoded = io.BytesIO()
        grainy = Image.fromarray(image.clip(0, 255).astype(np.uint8))
        grainy.save(encoded, "JPEG", quality=90)
        files.append(encoded.getvalue())
    return files


def decoded(file: bytes) -> np.ndarray:
    """As ``LoadPersonImage`` decodes, (H, W, 3) BGR."""
    return cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)


def official(file: bytes) -> np.ndarray:
    """The measure, (H, W, 3) RGB."""
    return np.asarray(
        Image.open(io.BytesIO(file)).convert("RGB").resize(SIZE, BILINEAR)
    )


def drafted(file: bytes) -> np.ndarray:
    """Pillow with the JPEG decoder's own reduction, (H, W, 3) RGB."""
    image = Image.open(io.BytesIO(file))
    image.draft("RGB", SIZE)
    return np.asarray(image.convert("RGB").resize(SIZE, BILINEAR))


def by_pillow(file: bytes, reducing_gap: float | None = None) -> np.ndarray:
    """Pillow's filter behind OpenCV's decoder."""
    image = Image.fromarray(decoded(file))
    return np.asarray(image.resize(SIZE, BILINEAR, reducing_gap=reducing_gap))


def by_torchvision(file: bytes) -> np.ndarray:
    """torchvision's antialiased filter of uint8."""
    image = torch.from_numpy(decoded(file)).permute(2, 0, 1)
    resized = functional.resize(image, list(SIZE[::-1]), antialias=True)
    return np.ascontiguousarray(resized.permute(1, 2, 0).numpy())


BGR_FORMS: dict[str, Callable[[bytes], np.ndarray]] = {
    "Resize (OpenCV where no side shrinks, else Pillow)": lambda file: (
        resize_antialiased(decoded(file), SIZE)
    ),
    'Resize(backend="pillow")': by_pillow,
    'Resize(backend="cv2"), not antialiased': lambda file: cv2.resize(
        decoded(file), SIZE
    ),
    "OpenCV INTER_AREA": lambda file: cv2.resize(
        decoded(file), SIZE, interpolation=cv2.INTER_AREA
    ),
    "Pillow, reducing_gap=2": lambda file: by_pillow(file, 2.0),
    "Pillow, reducing_gap=3": lambda file: by_pillow(file, 3.0),
    "torchvision, uint8": by_torchvision,
}
FORMS: dict[str, Callable[[bytes], np.ndarray]] = {
    "official: Pillow decodes and resizes": official,
    "the same with JPEG draft mode": drafted,
    # A view that turns the channels around takes no time to speak of.
    **{
        name: lambda file, f=form: f(file)[..., ::-1]
        for name, form in BGR_FORMS.items()
    },
}


def cells(files: Sequence[bytes], repeats: int) -> dict[str, str]:
    """A cell of the table for each form."""
    calls = {
        name: lambda f=form: [f(file) for file in files] for name, form in FORMS.items()
    }
    times = turns(calls, repeats)
    measure = np.stack([official(file) for file in files]).astype(int)
    found = {}
    for name, call in calls.items():
        apart = np.abs(np.stack(call()).astype(int) - measure)
        milliseconds = 1e3 * statistics.median(times[name]) / len(files)
        found[name] = f"{milliseconds:.2f} ({apart.max()}, {apart.mean():.2f})"
    return found


def main() -> None:
    """Print the table."""
    args = parse_args()
    torch.set_num_threads(1)  # as in loading workers
    cv2.setNumThreads(0)
    columns = [
        cells(jpeg_files(height, args.images), args.repeats) for height in args.heights
    ]
    sizes = [f"{height * 2 // 5}x{height}" for height in args.heights]
    print(f"| form | {' | '.join(sizes)} |")
    print(f"|---{'|---' * len(sizes)}|")
    for name in FORMS:
        print(f"| {name} | {' | '.join(column[name] for column in columns)} |")
    print("\nmilliseconds an image (largest, mean difference in grey levels)")


if __name__ == "__main__":
    main()
