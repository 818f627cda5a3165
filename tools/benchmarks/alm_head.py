"""ALM's fast form against the published loop over attributes, side by side.

python tools/benchmarks/alm_head.py --threads 2

Both forms hold the same weights and take turns; medians are shown. "step" is forward,
loss and backward; "model step" adds the BN-Inception backbone and Adam.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import statistics
import sys
from pathlib import Path

import torch
from torch import Tensor, nn
from turns import turns

sys.path.insert(0, str(Path(__file__).parents[2]))

from mmpar.models import BNInception
from tests.oracles.alm_pair import make_pair

STAGES = ((320, 32, 16), (608, 16, 8), (1024, 8, 4))
INPUT = (3, 256, 128)


class Subject:
    """One form on one device, with inputs of one batch size."""

    def __init__(self, form: str, num_attributes: int, batch: int, device: str) -> None:
        torch.manual_seed(0)
        fast, loop = make_pair(num_attributes)
        self.form = form
        self.device = device
        self.head = (fast if form == "fast" else loop).to(device)
        self.backbone = BNInception(out_indices=(0, 1, 2)).to(device)
        self.stages = [
            torch.randn(batch, *shape, device=device).relu().requires_grad_()
            for shape in STAGES
        ]
        self.images = torch.randn(batch, *INPUT, device=device)
        self.target = torch.randint(0, 2, (batch, num_attributes), device=device)
        model = nn.ModuleList([self.backbone, self.head])
        self.optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)

    def forward(self) -> None:
        """The head without gradients."""
        with torch.no_grad():
            self._logits(self.stages)

    def step(self) -> None:
        """The same with gradients of inputs and weights."""
        self._loss(self._logits(self.stages)).backward()

    def model_step(self) -> None:
        """Backbone, head, loss, backward and optimizer."""
        self.optimizer.zero_grad()
        self._loss(self._logits(list(self.backbone(self.images)))).backward()
        self.optimizer.step()

    def _logits(self, stages: list[Tensor]) -> list[Tensor]:
        output = self.head(stages)
        return output if self.form == "fast" else output[0]

    def _loss(self, logits: list[Tensor]) -> Tensor:
        target = self.target.float()
        losses = (
            nn.functional.binary_cross_entropy_with_logits(level, target)
            for level in logits
        )
        return torch.stack(list(losses)).sum()


def compare(
    what: str, num_attributes: int, batch: int, device: str, repeats: int
) -> tuple[float, float]:
    """Median seconds of the fast form and of the loop."""
    subjects = {form: Subject(form, num_attributes, batch, device) for form in FORMS}
    calls = {form: getattr(subject, what) for form, subject in subjects.items()}
    times = turns(calls, repeats)
    return statistics.median(times["fast"]), statistics.median(times["loop"])


def added_memory(
    form: str, what: str, num_attributes: int, batch: int, device: str, threads: int
) -> float:
    """MB that the first call takes at its peak, in a process of its own."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["mmpar.models"])  # imported once
    receiver, sender = context.Pipe(duplex=False)
    arguments = (sender, form, what, num_attributes, batch, device, threads)
    process = context.Process(target=_measure_memory, args=arguments)
    process.start()
    sender.close()
    megabytes = receiver.recv()
    process.join()
    return megabytes


def _measure_memory(sender, form, what, num_attributes, batch, device, threads) -> None:
    torch.set_num_threads(threads)
    subject = Subject(form, num_attributes, batch, device)
    if device == "cuda":
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        getattr(subject, what)()
        sender.send((torch.cuda.max_memory_allocated() - before) / 1e6)
        return
    # Linux: 5 sets the peak of the resident memory to its present size.
    Path("/proc/self/clear_refs").write_text("5")
    before = _resident("VmRSS")
    getattr(subject, what)()
    sender.send(_resident("VmHWM") - before)


def _resident(field: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(f"/proc/self/status has no {field}; memory needs Linux")


FORMS = ("fast", "loop")


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attributes", type=int, nargs="+", default=[26, 51])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--repeats", type=int, default=3, help="turns")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    parser.add_argument("--devices", nargs="+", default=devices)
    return parser.parse_args()


def main() -> None:
    """Print one row per setting."""
    args = parse_args()
    torch.set_num_threads(args.threads)
    print(f"torch {torch.__version__}, {args.threads} CPU threads, input 256x128")
    row = "{:6} {:>10} {:>6} {:>5} {:>11} {:>11} {:>7}"
    print(row.format("device", "what", "attrs", "batch", "fast", "loop", "ratio"))
    for device, attributes, batch in itertools.product(
        args.devices, args.attributes, args.batches
    ):
        setting = (attributes, batch, device)
        for what in ("forward", "step", "model_step"):
            fast, loop = compare(what, *setting, args.repeats)
            cells = (f"{fast * 1e3:.1f} ms", f"{loop * 1e3:.1f} ms")
            ratio = f"{loop / fast:.1f}"
            print(row.format(device, what, attributes, batch, *cells, ratio))
        for what in ("step", "model_step"):
            fast, loop = (
                added_memory(form, what, *setting, args.threads) for form in FORMS
            )
            cells = (f"{fast:.0f} MB", f"{loop:.0f} MB")
            ratio = f"{loop / fast:.1f}"
            print(row.format(device, what, attributes, batch, *cells, ratio))


if __name__ == "__main__":
    main()
