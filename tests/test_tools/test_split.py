"""The tool that cuts a list by person."""

import csv

from tests.test_tools.run import run_tool

TOOL = "dataset_converters/split.py"


def test_a_list_is_cut_by_the_person_in_its_paths(tmp_path):
    rows = [f"p{i // 3}_{i}.jpg,{int(i % 5 == 0)}\n" for i in range(60)]
    (tmp_path / "all.csv").write_text("path,Hat\n" + "".join(rows))
    source = ("AttributeListDataset", ".", "--ann-file", "all.csv")
    options = ("--person-pattern", r"p(\d+)_", "--shares", "train=3", "test=1")
    said = run_tool(TOOL, *source, *options, "--out", "cut.csv", cwd=tmp_path)
    assert "train: 45 images (75.0%) of 15 persons" in said
    assert "wrote cut.csv" in said
    split_of = {}
    for row in csv.DictReader((tmp_path / "cut.csv").open()):
        assert row["path"].startswith(f"p{row['person_id']}_")
        split_of.setdefault(row["person_id"], set()).add(row["split"])
    assert len(split_of) == 20
    assert all(len(splits) == 1 for splits in split_of.values())
