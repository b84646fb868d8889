"""Kernels that put what several segments hold of the same points into one answer."""

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit

I64 = npt.NDArray[np.int64]
I64_2 = npt.NDArray[np.int64]  # (segment, point)
U16 = npt.NDArray[np.uint16]
F64 = npt.NDArray[np.float64]


@njit(cache=True, nogil=True)
def place(count: I64_2, at: I64_2, offset: I64) -> int:
    """Where each piece goes: point after point, of a point the segments in their order. Gives the total."""
    total = 0
    for i in range(count.shape[1]):
        offset[i] = total
        for p in range(count.shape[0]):
            at[p, i] = total
            total += count[p, i]
    offset[count.shape[1]] = total
    return total


@njit(cache=True, nogil=True)
def is_rising(count: I64_2, at: I64_2, time: I64) -> bool:
    """Whether each piece ends before the next one of its point begins."""
    for i in range(count.shape[1]):
        last = np.int64(-0x8000000000000000)
        is_first = True
        for p in range(count.shape[0]):
            if count[p, i] == 0:
                continue
            if not is_first and time[at[p, i]] <= last:
                return False
            is_first = False
            last = time[at[p, i] + count[p, i] - 1]
    return True


@njit(cache=True, nogil=True)
def _unite(order: I64, n: int, first: int, count: int, time: I64, sequence: I64, room: I64) -> int:
    """Bring rows ``[first, first + count)`` into the order of the `n` before; the higher sequence stays, or the later."""
    i = 0
    j = first
    k = 0
    end = first + count
    while i < n or j < end:
        if j == end or (i < n and time[order[i]] < time[j]):
            room[k] = order[i]
            i += 1
        elif i == n or time[order[i]] > time[j]:
            room[k] = j
            j += 1
        else:
            is_older = len(sequence) > 0 and sequence[j] < sequence[order[i]]
            room[k] = order[i] if is_older else j
            i += 1
            j += 1
        k += 1
    order[:k] = room[:k]
    return k


@njit(cache=True, nogil=True)
def unite(
    count: I64_2,
    at: I64_2,
    samples: tuple[I64, F64, U16],
    sequence: I64,
    offset: I64,
    out: tuple[I64, F64, U16],
) -> int:
    """The newest version of every (point, time) of the placed pieces, by time. Gives the total.

    An empty `sequence` says that later pieces win.
    """
    time = samples[0]
    widest = 0
    for i in range(count.shape[1]):
        widest = max(widest, count[:, i].sum())
    order = np.empty(widest, np.int64)
    room = np.empty(widest, np.int64)
    total = 0
    for i in range(count.shape[1]):
        offset[i] = total
        n = 0
        for p in range(count.shape[0]):
            if count[p, i] == 0:
                continue
            if n == 0 or time[at[p, i]] > time[order[n - 1]]:
                for k in range(count[p, i]):
                    order[n + k] = at[p, i] + k
                n += count[p, i]
            else:
                n = _unite(order, n, at[p, i], count[p, i], time, sequence, room)
        for k in range(n):
            out[0][total + k] = time[order[k]]
            out[1][total + k] = samples[1][order[k]]
            out[2][total + k] = samples[2][order[k]]
        total += n
    offset[count.shape[1]] = total
    return total


@njit(cache=True, nogil=True)
def take_newer(
    places: I64,
    count: I64,
    samples: tuple[F64, U16, I64],
    found: tuple[npt.NDArray[np.uint8], F64, U16, I64],
) -> None:
    """Samples looked up (entry i has one where count is 1) into what was found so far; higher sequences win."""
    value, quality, sequence = samples
    k = 0
    for i in range(len(places)):
        if count[i] == 0:
            continue
        place = places[i]
        if found[0][place] == 0 or found[3][place] < sequence[k]:
            found[0][place] = 1
            found[1][place] = value[k]
            found[2][place] = quality[k]
            found[3][place] = sequence[k]
        k += 1
