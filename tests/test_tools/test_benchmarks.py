"""The benchmarks run and compare forms that give the same results."""

import re
from pathlib import Path

from tests.test_tools.run import run_tool


def test_both_forms_of_sspnet_give_the_same_logits(tmp_path: Path):
    output = run_tool(
        "benchmarks/sspnet_head.py",
        *("--batch-size", 1, "--repeats", 1, "--threads", 1),
        cwd=tmp_path,
    )
    size, difference = map(
        float, re.search(r"up to (\S+), largest difference (\S+)", output).groups()
    )
    assert size > 0.1
    assert difference < 1e-4 * size
    assert len(re.findall(r"\d times faster", output)) == 2


def test_every_prior_of_sspnet_is_timed_both_ways(tmp_path: Path):
    output = run_tool(
        "benchmarks/sspnet_priors.py",
        *("--batch-size", 1, "--repeats", 1, "--threads", 1),
        cwd=tmp_path,
    )
    timed = re.findall(r"^  (\S.*?) +median +[\d.]+ ms", output, re.MULTILINE)
    assert len(timed) == 12
    assert timed[:6] == timed[6:]
    assert {"fixed, sparse 1/2", "fixed, keypoint", "fixed, none"} < set(timed)
