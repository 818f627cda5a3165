"""Memory that a training frees stays with its process."""

import os
import platform
import subprocess
import sys

import pytest

from mmpar.utils.allocator import keep_freed_memory

glibc = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="another C library allocates memory"
)
TUNED = ("MALLOC_CONF", "MALLOC_ARENA_MAX", "GLIBC_TUNABLES")

# In a process of its own, as no other can go back to giving memory back.
COUNT = """
from resource import RUSAGE_SELF, getrusage

import numpy as np

from mmpar.utils.allocator import keep_freed_memory

def page_faults(times):
    before = getrusage(RUSAGE_SELF).ru_minflt
    for _ in range(times):
        np.ones(48 * 2**17)  # 48 MiB
    return getrusage(RUSAGE_SELF).ru_minflt - before

page_faults(2)
without = page_faults(20)
kept = keep_freed_memory()
page_faults(2)
print(int(kept), without, page_faults(20))
"""


def page_faults(**tuned):
    """Whether memory is kept; pages the system gave to arrays without that and with."""
    plain = {name: text for name, text in os.environ.items() if name not in TUNED}
    environment = {**plain, **tuned}
    run = subprocess.run(
        [sys.executable, "-c", COUNT],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return map(int, run.stdout.split())


@glibc
def test_arrays_of_later_steps_need_no_new_pages():
    kept, without, with_it = page_faults()
    assert kept
    assert without >= 20 * 48 / 2  # one at least for each page of 2 MiB
    assert with_it < 0.05 * without


@glibc
@pytest.mark.parametrize("name", TUNED)
def test_who_tunes_the_allocator_is_left_alone(name):
    kept, without, with_it = page_faults(**{name: "1"})
    assert not kept
    assert with_it > 0.5 * without


def test_another_c_library_is_left_alone(monkeypatch):
    for name in TUNED:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert keep_freed_memory() is False
