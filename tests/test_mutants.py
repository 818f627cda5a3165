"""Which mutants a file has, whether they meet the tests, and what is said of them."""

import ast
import tempfile

import pytest

from tests.mutants.changes import mutants_of
from tests.test_tools.run import TIMEOUT, start_python, stop_at


@pytest.mark.parametrize(
    ("source", "mutants"),
    [
        ("a < b in c", ["a <= b in c", "a < b not in c"]),
        ("a and b", ["a or b"]),
        ("a // b", ["a / b"]),
        ("-a", ["+a"]),
        ("not a", ["not not a"]),
        ("(2, True)", ["(3, True)", "(2, False)"]),
        ("x if a else y", ["x if not a else y"]),
        ("[x for x in y if x]", ["[x for x in y]"]),
        ("f(a, b=c, **d)", ["pass", "f(a, **d)"]),
        ("a.b = c", ["pass"]),
        ("a += b", ["pass", "a -= b"]),
        ("raise E(1 + 1)", ["pass"]),
        ("def f():\n    return None", []),
        ("__all__ = [2]", []),
        ("a: 1 + 1 = b", []),
        ("def f(a: 1) -> 1:\n    return a", ["def f(a: 1) -> 1:\n    return None"]),
        ("if TYPE_CHECKING:\n    f()", []),
    ],
)
def test_each_mutant_has_one_fault(tmp_path, source, mutants):
    path = tmp_path / "module.py"
    path.write_text(source)
    found = [ast.unparse(mutant.code()) for mutant in mutants_of(path)]
    assert sorted(found) == sorted(mutants)


IS_ADULT = """def is_adult(age):
    return age >= 18
"""
EMPTY = """
def empty(items):
    while items:
        items.pop()
    return items
"""
AT_IMPORT = """import functools
LIMIT = 18

@functools.cache
def doubled(number):
    return 2 * number

TWICE = doubled(LIMIT)

class Person:
    legs = 2

    @property
    def is_tall(self, than=1.8):
        return self.height > than

    def __init__(self, height):
        super().__init__()
        self.height = height

CODE = 7

def nobody_calls():
    raise ValueError

def tripled(function):
    def both(number):
        return 3 * function(number)
    return both

@tripled
def same(number):
    return number
"""
TEST = "import pytest, module\ndef test_all(): assert "


def mutate(folder, module, test, *options):
    """The exit status, and what is printed."""
    path, tests = folder / "module.py", folder / "test_module.py"
    path.write_text(module)
    tests.write_text(TEST + test)
    with tempfile.TemporaryFile() as output:
        words = ["-m", "tests.mutants", path, *options, "--", tests, "-k", "test_"]
        status = stop_at(start_python(words, output, folder), TIMEOUT)
        output.seek(0)
        said = output.read().decode().splitlines()
    assert path.read_text() == module
    return status, said


def test_survivors_are_named(tmp_path):
    status, said = mutate(tmp_path, IS_ADULT, "module.is_adult(20)")
    assert status == 1
    assert sorted(said) == [
        "3 of 3 mutants: 1 killed, 2 SURVIVED, 0 ran out of time",
        "SURVIVED module.py:2 GtE becomes Gt: return age >= 18 [1 test reaches it]",
        "SURVIVED module.py:2 becomes 19: return age >= 18 [1 test reaches it]",
    ]


def test_what_runs_at_import_has_mutants_too(tmp_path):
    """Decorators, super(), lines that no test reaches, tests named by a constant."""
    test = "module.TWICE == 36 and module.Person(1.9).is_tall" + NAMED
    status, said = mutate(tmp_path, AT_IMPORT, test, "--jobs", 2)
    assert status == 1
    assert sorted(said) == [
        "17 of 17 mutants: 12 killed, 5 SURVIVED, 0 ran out of time",
        "SURVIVED module.py:11 becomes 3: legs = 2 [2 tests reach it]",
        "SURVIVED module.py:15 Gt becomes GtE: return self.height > than "
        "[1 test reaches it]",
        "SURVIVED module.py:18 dropped: super().__init__() [1 test reaches it]",
        "SURVIVED module.py:21 becomes 8: CODE = 7 [2 tests reach it]",
        "SURVIVED module.py:24 dropped: raise ValueError [0 tests reach it]",
    ]


# Mutants may change the names of tests.
NAMED = """
@pytest.mark.parametrize("code", [module.CODE])
def test_named(code): assert code and module.same(2) == 6
"""
SLOWER = """
import time
def test_slower():
    time.sleep(1)
    assert not module.is_adult(17)
"""


@pytest.mark.parametrize(
    ("budget", "met"), [(0.5, "1 of 2 tests that reach it"), (5, "2 tests reach it")]
)
def test_the_quickest_tests_are_met_first(tmp_path, budget, met):
    test = "module.is_adult(20)" + SLOWER
    _, said = mutate(tmp_path, IS_ADULT, test, "--seconds", budget)
    assert said[0] == (f"SURVIVED module.py:2 GtE becomes Gt: return age >= 18 [{met}]")


@pytest.mark.slow
def test_an_endless_mutant_is_stopped_and_named(tmp_path):
    status, said = mutate(tmp_path, EMPTY, "module.empty([1]) == []")
    assert status == 1
    assert said == [
        "ran out of time module.py:4 dropped: items.pop() [1 test reaches it]",
        "3 of 3 mutants: 2 killed, 0 SURVIVED, 1 ran out of time",
    ]


def test_the_status_is_0_where_each_mutant_of_a_sample_is_killed(tmp_path):
    status, said = mutate(tmp_path, IS_ADULT, "module.is_adult(18)", "--sample", 2)
    assert said == ["2 of 3 mutants: 2 killed, 0 SURVIVED, 0 ran out of time"]
    assert status == 0


def test_tests_that_fail_without_a_mutant_are_refused(tmp_path):
    status, said = mutate(tmp_path, IS_ADULT, "module.is_adult(0)")
    assert status == 1
    assert said[-1] == "the tests do not pass without a mutant"
    assert any("assert False" in line for line in said)
