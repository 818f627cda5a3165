"""What is imported when: nothing heavy by ``--help``, and the registry before the rest.

The imports are watched in processes of their own, as this one has imported all.
"""

import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import mmpar.utils

REPOSITORY = Path(__file__).parents[1]
TOOLS = sorted(
    str(path.relative_to(REPOSITORY))
    for path in REPOSITORY.glob("tools/**/*.py")
    if path.parent.name != "benchmarks"
)
PACKAGES = [
    part.name
    for package in (mmpar, mmpar.utils)
    for part in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
]

HELP = """
import contextlib, io, json, runpy, sys, sysconfig

installed = (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
answers = {}
for tool in sys.argv[1:]:
    sys.argv = [tool, "--help"]
    before = set(sys.modules)
    with contextlib.redirect_stdout(io.StringIO()) as output:
        try:
            runpy.run_path(tool, run_name="__main__")
            status = "went on"
        except SystemExit as end:
            status = end.code
    imported = set(sys.modules) - before
    files = {name: getattr(sys.modules[name], "__file__", None) for name in imported}
    found = [name for name, file in files.items() if (file or "").startswith(installed)]
    answers[tool] = [status, output.getvalue()[:6], sorted(found)]
print(json.dumps(answers))
"""

FIRST = """
import importlib, json, sys

class Found(Exception):
    pass

class Watch:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in ("torch", "torchvision", "mmengine", "mmcv", "mmpretrain"):
            raise Found(name)
        if name == "mmpar.registry":
            raise Found(name)

sys.meta_path.insert(0, Watch)
first = {}
for package in sys.argv[1:]:
    try:
        importlib.import_module(package)
        first[package] = None
    except Found as found:
        first[package] = str(found)
print(json.dumps(first))
"""

SCOPE = """
import json
import mmpar
from mmengine.registry import MODELS
from mmengine.runner.checkpoint import CheckpointLoader

def loader():
    return CheckpointLoader._schemes[""].__module__

before = loader()
MODELS.get("mmpar.PARClassifier")
print(json.dumps([before, loader()]))
"""


def answers(script, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_every_tool_tells_its_arguments_before_it_imports_what_takes_seconds():
    assert len(TOOLS) > 10
    assert answers(HELP, *TOOLS) == {tool: [0, "usage:", []] for tool in TOOLS}


def test_the_installation_is_checked_and_checkpoints_secured_before_all_else():
    first = answers(FIRST, *PACKAGES)
    assert {*first.values()} == {None, "mmpar.registry"}
    heavy = {name for name, found in first.items() if found}
    parts = ("datasets", "engine", "evaluation", "explain", "models", "visualization")
    assert heavy >= {f"mmpar.{part}" for part in parts}


def test_mmengine_secures_checkpoints_when_it_looks_for_a_part_of_mmpar():
    before, after = answers(SCOPE)
    assert before != "mmpar.utils.checkpoint_files"  # importing mmpar is not enough
    assert after == "mmpar.utils.checkpoint_files"
