"""What is imported when, and by whom.

Nothing heavy by ``--help``, the registry before the rest, no circle, nothing from a
higher floor. Imports are watched in processes of their own, as this one has them all.
"""

import ast
import graphlib
import importlib.util
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

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
    tools = [*TOOLS, "mmpar/__main__.py"]
    assert answers(HELP, *tools) == {tool: [0, "usage:", []] for tool in tools}


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


FLOORS = (
    ("version", "compat", "registry", "structures", "utils"),
    ("synthetic", "models.layers", "models.losses", "evaluation.functional"),
    ("datasets", "models", "evaluation"),
    ("explain", "visualization", "engine"),
    ("apis", "deploy", "cli", "__main__"),
)
"""Parts of mmpar from the lowest floor up; the longest name that fits counts."""

ALLOWED: dict[tuple[str, str], str] = {}
"""Imports against the rule, module and what it imports, and the reason."""


def imports_of(module, path):
    """All modules of mmpar that a file imports, also within functions."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            name = "." * node.level + (node.module or "")
            source = importlib.util.resolve_name(name, package)
            yield from (f"{source}.{alias.name}" for alias in node.names)


def import_graph():
    """Module to the modules that it imports; packages are their ``__init__``."""
    root = Path(mmpar.__file__).parent
    paths = {
        ".".join(("mmpar", *path.relative_to(root).with_suffix("").parts)): path
        for path in root.rglob("*.py")
    }
    paths = {name.removesuffix(".__init__"): path for name, path in paths.items()}
    graph = {name: set() for name in paths}
    for module, path in paths.items():
        for name in imports_of(module, path):
            while name and name not in paths:  # a class, or not of mmpar
                name = name.rpartition(".")[0]
            if name not in ("", "mmpar", module):
                graph[module].add(name)
    return graph


def floor_of(module):
    """Number of the floor; None for a part that is on none."""
    if module == "mmpar":  # imports a part only when it is asked for
        return len(FLOORS)
    fits = [
        (len(part), floor)
        for floor, parts in enumerate(FLOORS)
        for part in parts
        if f"{module}.".startswith(f"mmpar.{part}.")
    ]
    return max(fits)[1] if fits else None


def test_no_module_imports_from_a_higher_floor():
    graph = import_graph()
    assert [name for name in graph if floor_of(name) is None] == []
    climbing = {
        (module, name)
        for module, imported in graph.items()
        for name in imported
        if floor_of(name) > floor_of(module)
    }
    assert climbing == {*ALLOWED}


def test_no_module_imports_itself_by_way_of_others():
    graph = import_graph()
    # A module that imports a part of a package does not wait for the package.
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" -> ".join(reversed(error.args[1])))
