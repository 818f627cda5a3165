"""python -m tests.mutate_inputs READER ... [--count 20000] [--seed 0] [--keep DIR]."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from tests.mutate_inputs import annotations, models, results
from tests.mutate_inputs.runs import Result, run

READERS = {**annotations.READERS, **models.READERS, **results.READERS}


def main() -> None:
    """Print a table, one row a reader; the exit status is 1 where a mutant failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutate_inputs")
    parser.add_argument("reader", nargs="+", choices=["all", *READERS])
    parser.add_argument("--count", type=int, default=20_000, help="mutants a reader")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    parser.add_argument("--keep", type=Path, help="folder for the mutants that fail")
    args = parser.parse_args()
    logging.disable(logging.CRITICAL)
    print(Result.header(), flush=True)
    failed = 0
    for name in READERS if "all" in args.reader else args.reader:
        result = run(name, READERS[name](), args.count, args.seed, args.jobs, args.keep)
        failed += result.failed
        print(result.row(), flush=True)
        for line in result.kept[:20]:
            print(f"    {line[:300]}", flush=True)
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
