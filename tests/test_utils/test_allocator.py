"""Memory that a training frees stays with its process."""

import ctypes
import os
import platform
import subprocess
import sys

import pytest

from mmpar.utils.allocator import keeping_freed_memory

glibc = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="another C library allocates memory"
)
SETTINGS = ("MALLOC_", "GLIBC_TUNABLES")
TUNED = ("MALLOC_CONF", "MALLOC_ARENA_MAX", "GLIBC_TUNABLES")

# In a process of its own, whose allocator nothing has changed before.
COUNT = """
from resource import RUSAGE_SELF, getrusage

import numpy as np

from mmpar.utils.allocator import keeping_freed_memory

def page_faults(times):
    before = getrusage(RUSAGE_SELF).ru_minflt
    for _ in range(times):
        np.ones(48 * 2**17)  # 48 MiB
    return getrusage(RUSAGE_SELF).ru_minflt - before

def resident():
    with open("/proc/self/statm") as pages:
        return int(pages.read().split()[1]) * 4096 // 2**20

page_faults(2)
without = page_faults(20)
with keeping_freed_memory():
    page_faults(2)
    kept = resident()
    within = page_faults(20)
print(without, within, page_faults(20), kept - resident())
"""


def page_faults(**tuned):
    """Pages that the system gave to arrays before, in and after the block.

    And how many MiB fewer the process holds after it.
    """
    plain = {n: t for n, t in os.environ.items() if not n.startswith(SETTINGS)}
    run = subprocess.run(
        [sys.executable, "-c", COUNT],
        env={**plain, **tuned},
        check=True,
        capture_output=True,
        text=True,
    )
    return map(int, run.stdout.split())


@glibc
def test_arrays_of_later_steps_need_no_new_pages_until_memory_is_given_back():
    before, within, after, given_back = page_faults()
    assert before >= 20 * 48 / 2  # one at least for each page of 2 MiB
    assert within < 0.05 * before
    assert after > 0.5 * before
    assert given_back >= 40


@glibc
@pytest.mark.parametrize("name", TUNED)
def test_who_tunes_the_allocator_is_left_alone(name):
    before, within, _, _ = page_faults(**{name: "1"})
    assert within > 0.5 * before


def test_another_c_library_is_left_alone(monkeypatch):
    for name in [name for name in os.environ if name.startswith(SETTINGS)]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(ctypes, "CDLL", pytest.fail)
    with keeping_freed_memory():
        pass
