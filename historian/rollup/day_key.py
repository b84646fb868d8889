"""A (point, local day) as one whole number, and sets of them.

63        54 53                           22 21                    0
└── zero ──┘ └───────── point id ──────────┘ └─ ordinal of date ───┘
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

KeyColumn = npt.NDArray[np.int64]

DAY_BITS: Final = 22  # 9999-12-31 has ordinal 3 652 059
DAY_MASK: Final = (1 << DAY_BITS) - 1


def pack(point_id: npt.NDArray[np.int64], day: npt.NDArray[np.int64]) -> KeyColumn:
    """One key for each pair."""
    return (point_id << DAY_BITS) | day


def pack_days(point_id: int | KeyColumn, days: int | Sequence[int]) -> KeyColumn:
    """Keys of several days of one point, or of one day of several points."""
    return np.asarray(point_id, np.int64) << DAY_BITS | np.asarray(days, np.int64)


def pack_pairs(pairs: Iterable[tuple[int, int]]) -> KeyColumn:
    """Keys of (point id, day) pairs, in their order."""
    return np.array([(point_id << DAY_BITS) | day for point_id, day in pairs], np.int64)


def unpack_pairs(keys: KeyColumn) -> list[tuple[int, int]]:
    """(point id, day) of each key."""
    return list(zip((keys >> DAY_BITS).tolist(), (keys & DAY_MASK).tolist(), strict=True))


def distinct(keys: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Each key once, ascending; not to be written to. Scans and series come in that order: a look, and no sorting."""
    if bool((keys[1:] > keys[:-1]).all()):
        return keys
    ordered = keys if bool((keys[1:] >= keys[:-1]).all()) else np.sort(keys)
    once: npt.NDArray[Any] = ordered[np.append(True, ordered[1:] != ordered[:-1])]
    return once


def is_among(keys: KeyColumn, column: KeyColumn) -> npt.NDArray[np.bool_]:
    """For each key, in whatever shape, whether it is in an ascending column."""
    if len(column) == 0:
        return np.zeros(keys.shape, np.bool_)
    found: npt.NDArray[np.bool_] = column[np.minimum(np.searchsorted(column, keys), len(column) - 1)] == keys
    return found


def whole_points(keys: KeyColumn, count: int) -> KeyColumn:
    """Of ascending keys that were cut off at `count`, those of points of which none is missing, where there are any."""
    if len(keys) < count:
        return keys
    end = int(np.searchsorted(keys, keys[-1] >> DAY_BITS << DAY_BITS))
    return keys[:end] if end else keys


class KeySet:
    """A set of keys as sorted columns: eight bytes a key, cheap to add to in bulk.

    Parts share no key and each is more than twice as long as the next, so there are few of them.
    """

    def __init__(self) -> None:
        self._parts: list[KeyColumn] = []

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def to_column(self) -> KeyColumn:
        """All keys, ascending; not to be written to."""
        while len(self._parts) > 1:
            self._join_last()
        return self._parts[0] if self._parts else np.empty(0, np.int64)

    def add(self, keys: KeyColumn) -> KeyColumn:
        """Put keys in; they ascend, each once. Returns those that were not in before."""
        is_new = ~self.holds(keys)
        new = keys if is_new.all() else keys[is_new]
        if len(new):
            self._parts.append(new)
        while len(self._parts) > 1 and 2 * len(self._parts[-1]) >= len(self._parts[-2]):
            self._join_last()
        return new

    def holds(self, keys: KeyColumn) -> npt.NDArray[np.bool_]:
        """For each key whether it is in."""
        found = np.zeros(len(keys), np.bool_)
        for part in self._parts:
            found |= is_among(keys, part)
        return found

    def discard(self, keys: KeyColumn) -> None:
        """Take keys out; they ascend, and those that are not in are ignored. Costs little beside them."""
        if len(keys) == 0:
            return
        kept: list[KeyColumn] = []
        for part in self._parts:
            first, last = np.searchsorted(part, (keys[0], keys[-1] + 1)).tolist()
            between = part[first:last]
            left = between[~is_among(between, keys)]
            if len(left) == len(between):
                kept.append(part)
            elif first == 0 and len(left) == 0:
                kept.append(part[last:])
            else:
                kept.append(np.concatenate((part[:first], left, part[last:])))
        self._parts = [part for part in kept if len(part)]

    def keep_only(self, keys: KeyColumn) -> None:
        """Take out every key that is not in `keys`."""
        kept = (part[np.isin(part, keys)] for part in self._parts)
        self._parts = [part for part in kept if len(part)]

    def days_of(self, point_id: int) -> list[int]:
        """The days of one point, ascending."""
        keys = self.to_column()
        first, last = np.searchsorted(keys, (point_id << DAY_BITS, (point_id + 1) << DAY_BITS))
        days: list[int] = (keys[first:last] & DAY_MASK).tolist()
        return days

    def following(self, key: int, count: int) -> KeyColumn:
        """At most `count` keys from `key` on, ascending; where there are none, from the lowest on."""
        found = self._from(key, count)
        return found if len(found) else self._from(0, count)

    def _from(self, key: int, count: int) -> KeyColumn:
        begins = [int(np.searchsorted(part, key)) for part in self._parts]
        slices = [part[first : first + count] for part, first in zip(self._parts, begins, strict=True)]
        if len(slices) == 1:
            return slices[0]
        return np.sort(np.concatenate([np.empty(0, np.int64), *slices]), kind="stable")[:count]

    def _join_last(self) -> None:
        joined = np.concatenate((self._parts[-2], self._parts[-1]))
        joined.sort(kind="stable")  # merges two sorted halves in one pass
        self._parts[-2:] = [joined]
