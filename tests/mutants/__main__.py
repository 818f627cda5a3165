"""Print each mutant that is not killed; the exit status is 1 if there is one."""

import argparse
import importlib
import os
import random
import sys
from collections import Counter
from pathlib import Path

from tests.mutants.campaign import (
    KILLED,
    SURVIVED,
    TIMEOUT,
    Outcome,
    first_round,
    second_round,
)
from tests.mutants.changes import Mutant, mutants_of

# None of mmpar, whose imports are looked at.
SLOW_IMPORTS = (
    *("h5py", "matplotlib.figure", "mmengine.runner", "mmpretrain.models", "pandas"),
    *("scipy.io", "torchvision"),
)


def main() -> None:
    """Read the command line, and let all mutants meet their tests."""
    words = sys.argv[1:]
    end = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutants", epilog="Arguments of pytest follow after --."
    )
    parser.add_argument("paths", type=Path, nargs="+", help="files, or folders' files")
    parser.add_argument(
        "--sample", type=int, help="how many mutants; all, if not given"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    parser.add_argument(
        "--seconds",
        type=float,
        default=30,
        help="of the tests that reach a mutant, the quickest that together take so "
        "long (%(default)s)",
    )
    args = parser.parse_args(words[:end])
    arguments = words[end + 1 :]
    files = [file for path in args.paths for file in _files(path.resolve())]
    mutants = [mutant for file in files for mutant in mutants_of(file)]
    chosen = mutants
    if args.sample and args.sample < len(mutants):
        chosen = random.Random(args.seed).sample(mutants, args.sample)
    os.environ["OMP_NUM_THREADS"] = "1"  # computing time is that of all threads
    for name in SLOW_IMPORTS:
        importlib.import_module(name)
    outcomes: dict[int, Outcome] = {}

    def report(number: int, outcome: Outcome) -> None:
        outcomes[number] = outcome
        if outcome.name != KILLED:
            said = f"{outcome.name} {_described(chosen[number])} [{_tests(outcome)}]"
            print(said, flush=True)

    how = (arguments, args.seconds, args.jobs)
    answers = first_round(chosen, *how)
    reach = next(answers)
    for number, outcome in answers:
        report(number, outcome)
    rest = {n: mutant for n, mutant in enumerate(chosen) if n not in outcomes}
    for number, outcome in second_round(rest, reach, *how):
        report(number, outcome)
    totals = Counter(outcome.name for outcome in outcomes.values())
    said = ", ".join(f"{totals[name]} {name}" for name in (KILLED, SURVIVED, TIMEOUT))
    print(f"{len(chosen)} of {len(mutants)} mutants: {said}")
    raise SystemExit(0 if totals[KILLED] == len(chosen) else 1)


def _files(path: Path) -> list[Path]:
    return sorted(path.glob("*.py")) if path.is_dir() else [path]


def _described(mutant: Mutant) -> str:
    line = mutant.file.read_text().splitlines()[mutant.line - 1].strip()
    return f"{os.path.relpath(mutant.file)}:{mutant.line} {mutant.what}: {line}"


def _tests(outcome: Outcome) -> str:
    if outcome.met < outcome.reaching:
        return f"{outcome.met} of {outcome.reaching} tests that reach it"
    plural = "test reaches" if outcome.reaching == 1 else "tests reach"
    return f"{outcome.reaching} {plural} it"


if __name__ == "__main__":
    main()
