"""One number that names the samples of a day, whatever order they came in."""

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
U16 = npt.NDArray[np.uint16]
U8 = npt.NDArray[np.uint8]


@njit(cache=True, nogil=True)
def mixed(number: int) -> int:
    """A number of 64 bits of which every bit depends on every bit of the given one (the finish of SplitMix64)."""
    x = np.uint64(number)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.int64(x ^ (x >> np.uint64(31)))  # type: ignore[return-value]


@njit(cache=True, nogil=True)
def digest_days(
    offset: I64,
    time: I64,
    bits: I64,
    quality: U16,
    is_wanted: U8,
    before_us: I64,
    after_us: I64,
    day_start: I64,
    out: I64,
) -> None:
    """The sum over the samples that may decide day d of run r: those of ``(start - after, end + before)``.

    `bits` are those of the values. Runs that are not wanted have zero.
    """
    for r in range(len(offset) - 1):
        if is_wanted[r] == 0:
            continue
        low, high = offset[r], offset[r + 1]
        for d in range(len(day_start) - 1):
            first = low + np.searchsorted(time[low:high], day_start[d] - after_us[r], side="right")
            last = low + np.searchsorted(time[low:high], day_start[d + 1] + before_us[r])
            total = np.int64(0)
            for i in range(first, last):
                total += mixed(mixed(mixed(time[i]) ^ bits[i]) ^ int(quality[i]))
            out[r, d] = total
