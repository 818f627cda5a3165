"""The writer of the portable annotation on the command line."""

import json
import subprocess
from pathlib import Path

from mmpar.datasets import PETA
from mmpar.structures import SCHEMAS
from tests.fixtures.peta import write_peta_release
from tests.test_tools.run import command, environment, run_tool

TOOL = "dataset_converters/prepare.py"


def test_the_file_has_the_partitions_and_attributes_asked_for(tmp_path: Path):
    write_peta_release(tmp_path / "peta", 20)
    arguments = ("PETA", "peta", "--out", "out", "--partitions", 1, 2)
    output = run_tool(TOOL, *arguments, "--schema", "peta105", cwd=tmp_path)
    assert "wrote out/annotation.jsonl" in output
    file = tmp_path / "out/annotation.jsonl"
    header, *rows = map(json.loads, file.read_text().splitlines())
    splits = ("train", "val", "test")
    assert header["parts"] == [[s, number] for number in (1, 2) for s in splits]
    assert header["schema"]["names"] == list(SCHEMAS["peta105"].names)
    assert len(rows) == 2 * 20
    one = dict(data_root=str(tmp_path / "peta"), split="val", partition=2)
    prepared, own = PETA(ann_file=str(file), **one), PETA(**one)
    assert list(prepared.table.paths) == list(own.table.paths)
    assert prepared.get_labels().tolist() == own.get_labels().tolist()


def test_a_list_of_one_split_is_refused_in_one_line(tmp_path: Path):
    done = subprocess.run(
        command(TOOL, "PETA", ".", "--ann-file", "train.txt", "--out", "out"),
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: train.txt holds one split")
    assert last.endswith("Name it: --split train")
    assert not (tmp_path / "out").exists()
