"""A config's text is read as data; code in it is refused and never runs."""

import os

import pytest
from mmengine.config import Config

from mmpar.utils.config_data import (
    MAX_BYTES,
    ConfigCodeError,
    parse_config_data,
    read_config_data,
)
from mmpar.utils.shipped import find_config

FIELDS = dict(
    title="a 'quoted' \"text\" over\nlines " * 9,
    numbers=[1, -2, 3.5, -1e-9, True, None],
    size=(64, 128),
    one=(1,),
    empty=[{}, [], ()],
    threshold={"Age18-60": 0.3, "nested": dict(a=(dict(b=-1),))},
    label_map={-1: 0, 1: 1},
)


def test_what_mmengine_writes_reads_as_it_was(tmp_path):
    for number, cfg in enumerate(
        [
            Config(FIELDS),
            Config.fromfile(find_config("sspnet-keypoint_r50_pa100k")),
            Config.fromfile(find_config("alm_r18_synthetic")),
        ]
    ):
        cfg.dump(tmp_path / f"{number}.py")
        assert read_config_data(tmp_path / f"{number}.py") == cfg.to_dict()


CODE = [
    "import os",
    "from os import system",
    "x = __import__('os').system('touch CANARY')",
    "x = open('CANARY', 'w')",
    "x = [open('CANARY', 'w') for i in range(1)]",
    "x = dict(a=open('CANARY', 'w'))",
    "x = dict(**open('CANARY', 'w'))",
    "x = {**open('CANARY', 'w')}",
    "x = {open('CANARY', 'w'): 1}",
    "x = dict([('a', 1)])",
    "x = dict({'a': 1}, b=2)",
    'x = f\'{open("CANARY", "w")}\'',
    "x = (lambda: open('CANARY', 'w'))()",
    "open('CANARY', 'w')",
    "class A: open('CANARY', 'w')",
    "def f(x=open('CANARY', 'w')): pass",
    "x: open('CANARY', 'w') = 1",
    "x = y = 1",
    "x += 1",
    "x = y",
    "x = 1 if open('CANARY', 'w') else 2",
    "x = 2 ** 99",
    "x = 'a' + 'b'",
    "x = -'a'",
    "x = -True",
    "x = +1",
    "x = 1j",
    "x = b'a'",
    "x = ...",
    "x = {1, 2}",
    "x, y = 1, 2",
    "x.y = 1",
    "x = _base_.schema",
    "x = inf",
    "x = (y := 1)",
    "x = [*open('CANARY', 'w')]",
    "x = os.environ['HOME']",
    "with open('CANARY', 'w'): pass",
    "if True: x = 1",
    "x = 1\nx = 2",
    "x = {'a': 1, 'a': 2}",
    "x = dict(a=1, a=2)",
    "x = (",
    "x = 1\0",
    "x = " + "[" * 5000,
    "x = " + "-" * 20_000 + "1",
    "x = " + "dict(a=" * 150 + "1",
]


@pytest.mark.parametrize("code", CODE, ids=lambda code: code[:40].replace("\0", "0"))
def test_anything_else_is_refused_and_nothing_runs(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigCodeError, match=r"the config in best\.pth.*publish"):
        parse_config_data(f"model = dict(type='A')\n{code}", "the config in best.pth")
    assert os.listdir(tmp_path) == []


def test_a_refusal_names_the_line_what_was_found_and_what_to_do():
    text = '"""A config."""\nmodel = dict(\n    type="A",\n    size=max(1, 2))\n'
    message = (
        r"^c\.py: line 4: max\(1, 2\) is not plain data\. Only name = value.*"
        "mmpar publish CHECKPOINT --config CONFIG --out FILE$"
    )
    with pytest.raises(ConfigCodeError, match=message):
        parse_config_data(text, "c.py")


def test_a_text_of_no_config_s_size_is_refused_unread(tmp_path):
    (tmp_path / "big.py").write_text("x = '" + "a" * MAX_BYTES + "'")
    size = r"more than (524,288|32,768) characters"
    with pytest.raises(ConfigCodeError, match=size):
        read_config_data(tmp_path / "big.py")
    (tmp_path / "bytes.py").write_bytes(b"x = '\xff'")
    with pytest.raises(ConfigCodeError, match="not UTF-8"):
        read_config_data(tmp_path / "bytes.py")
