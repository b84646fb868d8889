"""Kernel of the log's encoding."""

from typing import Any

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit

I64 = npt.NDArray[np.int64]


@njit(cache=True, nogil=True)
def run_starts(column: npt.NDArray[Any], first: I64) -> int:
    """Where each run of equal neighbours begins; returns how many there are, 0 where more than `first` has room for."""
    found = 0
    for i in range(len(column)):
        if i == 0 or column[i] != column[i - 1]:
            if found == len(first):
                return 0
            first[found] = i
            found += 1
    return found
