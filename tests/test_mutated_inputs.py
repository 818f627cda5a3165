"""A share of the mutated inputs, and whether what they may not do would be noticed.

All of them: python -m tests.mutate_inputs all --count 20000 --jobs 2.
"""

import os
import random
import signal
import tempfile
import time
from pathlib import Path

import pytest

from mmpar.utils.read_apart import read_apart
from tests.mutate_inputs import mutations, runs
from tests.mutate_inputs.runs import Seed, run
from tests.test_tools.run import TIMEOUT, start_python, stop_at


def test_mutated_inputs_are_read_or_refused_with_the_file_s_name():
    """In a process of its own, as the mutants' are forked of it."""
    with tempfile.TemporaryFile() as output:
        words = ["-m", "tests.mutate_inputs", "all", "--count", 40]
        status = stop_at(start_python(words, output), TIMEOUT)
        output.seek(0)
        assert status == 0, output.read().decode(errors="replace")


def raise_error(error):
    raise error


def refuse_from_none(path):
    """As Python's parser calls a config that is nested too deep a lack of memory."""
    try:
        raise MemoryError
    except MemoryError:
        raise ValueError(f"{path} is nested too deep") from None


def run_command(content):
    os.system("true")


DEEDS = {
    "read": lambda path: path.read_bytes(),
    "refused": lambda path: raise_error(ValueError(f"{path} is faulty")),
    "refused, in the place of a lack of memory": lambda path: refuse_from_none(path),
    "other error": lambda path: raise_error(KeyError(str(path))),
    "without the name": lambda path: raise_error(ValueError("faulty")),
    "memory": lambda path: bytearray(2 * 10**9),
    "hang": lambda path: time.sleep(60),
    "signal": lambda path: os.kill(os.getpid(), signal.SIGSEGV),
    "command": lambda path: os.system("true"),
    "command in a fork": lambda path: read_apart(run_command, b"", str(path)),
    "write elsewhere": lambda path: Path("/dev/full").open("w").close(),
}


@pytest.mark.parametrize("outcome", DEEDS)
def test_whatever_a_reader_does_is_noticed_and_kept(tmp_path, monkeypatch, outcome):
    monkeypatch.setattr(runs, "SECONDS", 0.3)

    def read(path):
        if path.read_bytes() != b"whole":
            DEEDS[outcome](path)

    def mutate(content, chance):
        return b"mutated" if chance.random() < 2 else content

    seeds = [Seed("mutant.txt", b"whole", mutate, read)]
    result = run("reader", seeds, 4, 0, 2, tmp_path / "kept")
    same = {"command in a fork": "command", "write elsewhere": "command"}
    outcome = same.get(outcome, outcome.partition(",")[0])
    assert result.counts[outcome] == 4 == sum(result.counts.values())
    failed = outcome not in ("read", "refused")
    assert result.failed == (4 if failed else 0)
    kept = sorted(path.name for path in (tmp_path / "kept").glob("*.txt"))
    expected = [f"reader-{i:06}-mutant.txt" for i in range(4)] if failed else []
    assert kept == expected
    assert len(result.kept) == len(expected)


def test_a_whole_file_that_is_refused_stops_the_run(tmp_path):
    """Else nothing but the first check of a reader would be tested."""
    seeds = [Seed("mutant.txt", b"x", lambda c, chance: c, DEEDS["refused"])]
    with pytest.raises(ValueError, match="is faulty"):
        run("reader", seeds, 4, 0, 1)


@pytest.mark.parametrize("name", ["bytes", "text", "json", "json_line"])
def test_mutations_are_seeded_and_change_most_files(name):
    mutate = getattr(mutations, f"mutate_{name}")
    content = b'{"images": [{"path": "a.jpg", "labels": [1, 0.5, null]}]}'
    mutants = [mutate(content, random.Random(seed)) for seed in range(200)]
    assert mutants == [mutate(content, random.Random(seed)) for seed in range(200)]
    assert len({*mutants} - {content, content + b"\n"}) > 150
