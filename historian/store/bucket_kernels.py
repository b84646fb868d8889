"""Kernel of the seam's default `bucket`."""

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]


@njit(cache=True, nogil=True)
def fill(offset: I64, time: I64, value: F64, edges: I64, count: I64, total: F64, low: F64, high: F64) -> None:
    """Count, sum, least and greatest of the finite values between neighbouring edges, run by run.

    `count` and `total` come as zeros; `low` and `high` are set everywhere.
    """
    for r in range(len(offset) - 1):
        for b in range(len(edges) - 1):
            low[r, b] = np.nan
            high[r, b] = np.nan
        b = 0
        for i in range(offset[r], offset[r + 1]):
            while time[i] >= edges[b + 1]:
                b += 1
            v = value[i]
            if not np.isfinite(v):
                continue
            if count[r, b] == 0:
                low[r, b] = v
                high[r, b] = v
            else:
                low[r, b] = min(low[r, b], v)
                high[r, b] = max(high[r, b], v)
            count[r, b] += 1
            total[r, b] += v
