"""Kernel that asks whether any of many points' stamps have something to be added."""

from typing import Final

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit

ABSENT: Final = -(2**63)  # the offset of an id nobody asked about yet

NONE: Final = 0  # nothing is to be added
SOME: Final = 1
UNKNOWN: Final = 2  # some id was not asked about yet


@njit(cache=True, nogil=True)
def look(point_id: npt.NDArray[np.uint32], offset_us: npt.NDArray[np.int64]) -> int:
    """NONE, SOME or UNKNOWN; ids beyond `offset_us` are no points and have none."""
    count = np.uint64(len(offset_us))
    found = NONE
    for i in range(len(point_id)):
        p = np.uint64(point_id[i])
        if p < count and offset_us[p] != 0:
            if offset_us[p] == ABSENT:
                return UNKNOWN
            found = SOME
    return found
