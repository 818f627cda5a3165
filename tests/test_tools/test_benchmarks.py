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


def test_the_cost_of_keypoints_is_a_share_of_each_iteration(tmp_path: Path):
    output = run_tool(
        "benchmarks/keypoints_loading.py",
        *("--pictures", 2, "--turns", 1, "--batch-size", 1),
        *("--iterations", 1, "--threads", 1),
        cwd=tmp_path,
    )
    rows = re.findall(r"^\| sspnet_.*\|$", output, re.MULTILINE)
    assert len(rows) == 2
    for row in rows:
        iteration, without, with_keypoints, extra = map(float, row.split("|")[2:6])
        assert iteration > 0
        # One turn: its difference is that of the two columns.
        assert abs(with_keypoints - without - extra) < 0.002
