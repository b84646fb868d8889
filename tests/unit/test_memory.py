"""Freed memory is kept where the C library is glibc, and nothing is touched elsewhere."""

import ctypes
import platform
import subprocess
import sys
import textwrap

import pytest

from historian import memory

COUNT_FAULTS = """
    import resource, sys
    import numpy as np
    from historian import memory
    if sys.argv[1] == "keep":
        assert memory.keep_freed()
    def faults():
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    shapes = [(3 << 20) // 8, (30 << 20) // 8]
    for size in shapes:  # the first use of memory costs faults in any case
        np.ones(size)
    before = faults()
    for _ in range(10):
        for size in shapes:
            np.ones(size)
    print(faults() - before)
"""


def count_faults(mode: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(COUNT_FAULTS), mode],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_arrays_reuse_the_memory_of_those_before() -> None:
    assert count_faults("keep") < 200


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert not memory.keep_freed()


def test_another_system_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not memory.keep_freed()
