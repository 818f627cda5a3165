"""python -m tests.mutate_inputs.guided READER [libFuzzer's options].

Mutants are chosen by the branches that they reach, with atheris (``pip install
atheris``; its instrumentation is of Python code, so it suits the parsers that are
written in it). The first error that is not documented ends the run, and libFuzzer keeps
its input; ``-max_total_time=60`` ends it otherwise.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import warnings
from pathlib import Path

import atheris

_PARSERS = ["mmpar.datasets.formats", "mmpar.structures", "mmpar.utils"]

with atheris.instrument_imports(include=_PARSERS):
    from tests.mutate_inputs.__main__ import READERS
    from tests.mutate_inputs.runs import OTHER, _read, _written


def main() -> None:
    """Fuzz one reader, from its whole files on."""
    reader, options = sys.argv[1], sys.argv[2:]
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    seeds = READERS[reader]()
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for i, one in enumerate(seeds):
            (corpus / f"{i}").write_bytes(bytes([i]) + one.content)

        def test(content: bytes) -> None:
            number = content[0] % len(seeds) if content else 0
            one = seeds[number]
            path = _written(one, content[1:], Path(folder) / str(number))
            outcome, what = _read(one, path)
            if outcome >= OTHER:
                raise RuntimeError(what)

        limits = ["-timeout=10", "-rss_limit_mb=2000"]
        atheris.Setup([sys.argv[0], *limits, *options, str(corpus)], test)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
