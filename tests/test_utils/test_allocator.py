"""Memory that a training frees stays with its process."""

import multiprocessing
import platform
import resource

import numpy as np
import pytest

from mmpar.utils.allocator import keep_freed_memory

glibc = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="another C library allocates memory"
)


def page_faults(times=20):
    """How often the system had to give a page to arrays of 48 MiB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(times):
        np.ones(48 * 2**17)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def in_a_process(function):
    """What a function returns in a forked process, whose allocator it may change."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(function)


def count_without_and_with():
    page_faults(2)
    without = page_faults()
    kept = keep_freed_memory()
    page_faults(2)
    return kept, without, page_faults()


@glibc
def test_arrays_of_later_steps_need_no_new_pages(monkeypatch):
    for name in ("MALLOC_CONF", "MALLOC_ARENA_MAX", "GLIBC_TUNABLES"):
        monkeypatch.delenv(name, raising=False)
    kept, without, with_it = in_a_process(count_without_and_with)
    assert kept
    assert without >= 20 * 48 / 2  # one at least for each page of 2 MiB
    assert with_it < 0.05 * without


@glibc
@pytest.mark.parametrize("name", ["MALLOC_CONF", "MALLOC_ARENA_MAX", "GLIBC_TUNABLES"])
def test_who_tunes_the_allocator_is_left_alone(monkeypatch, name):
    monkeypatch.setenv(name, "1")
    kept, without, with_it = in_a_process(count_without_and_with)
    assert not kept
    assert with_it > 0.5 * without


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert in_a_process(keep_freed_memory) is False
