"""The writer of OpenMMLab annotation files on the command line."""

import json
from pathlib import Path

from mmpar.datasets import PETA
from mmpar.structures import SCHEMAS
from tests.fixtures.peta import write_peta_release
from tests.test_tools.run import call_tool, run_tool

TOOL = "dataset_converters/prepare.py"


def test_the_file_has_the_partitions_and_attributes_asked_for(tmp_path: Path):
    write_peta_release(tmp_path / "peta", 20)
    arguments = ("PETA", "peta", "--out", "out", "--partitions", 1, 2)
    output = run_tool(TOOL, *arguments, "--schema", "peta105", cwd=tmp_path)
    assert "wrote out/annotation.json" in output
    file = tmp_path / "out/annotation.json"
    content = json.loads(file.read_text())
    assert content["metainfo"]["classes"] == list(SCHEMAS["peta105"].names)
    assert len(content["data_list"]) == 2 * 20
    assert {image["partition"] for image in content["data_list"]} == {1, 2}
    one = dict(data_root=str(tmp_path / "peta"), split="val", partition=2)
    prepared, own = PETA(ann_file=str(file), **one), PETA(**one)
    assert list(prepared.table.paths) == list(own.table.paths)
    assert prepared.get_labels().tolist() == own.get_labels().tolist()


def test_a_list_of_one_split_is_refused_in_one_line(tmp_path: Path):
    (tmp_path / "train.txt").write_text("00001.png 0\n")
    arguments = ("PETA", ".", "--ann-file", "train.txt", "--out", "out")
    status, output = call_tool(TOOL, *arguments, cwd=tmp_path)
    assert status == 1
    last = output.strip().splitlines()[-1]
    assert last.startswith("error: train.txt holds one split")
    assert last.endswith("Name it: --split train")
    assert not (tmp_path / "out").exists()
