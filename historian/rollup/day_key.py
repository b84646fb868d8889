"""A (point, local day) as one whole number, and sets of them.

63        54 53                           22 21                    0
└── zero ──┘ └───────── point id ──────────┘ └─ ordinal of date ───┘
"""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

KeyColumn = npt.NDArray[np.int64]

DAY_BITS: Final = 22  # 9999-12-31 has ordinal 3 652 059
DAY_MASK: Final = (1 << DAY_BITS) - 1
_PARTS_MAX: Final = 32


def pack(point_id: npt.NDArray[np.int64], day: npt.NDArray[np.int64]) -> KeyColumn:
    """One key for each pair."""
    return (point_id << DAY_BITS) | day


def pack_days(point_id: int, days: Sequence[int]) -> KeyColumn:
    """Keys of several days of one point."""
    return (point_id << DAY_BITS) | np.array(days, np.int64)


def pack_pairs(pairs: Iterable[tuple[int, int]]) -> KeyColumn:
    """Keys of (point id, day) pairs, in their order."""
    return np.array([(point_id << DAY_BITS) | day for point_id, day in pairs], np.int64)


def unpack_pairs(keys: KeyColumn) -> list[tuple[int, int]]:
    """(point id, day) of each key."""
    return list(zip((keys >> DAY_BITS).tolist(), (keys & DAY_MASK).tolist(), strict=True))


class KeySet:
    """A set of keys as sorted columns: eight bytes a key, cheap to add to in bulk.

    New keys lie in small parts beside the large one until there are many parts.
    """

    def __init__(self) -> None:
        self._parts: list[KeyColumn] = []

    def __len__(self) -> int:
        return len(self.to_column())

    def to_column(self) -> KeyColumn:
        """All keys, ascending, each once; not to be written to."""
        if len(self._parts) > 1:
            self._parts = [np.unique(np.concatenate(self._parts))]
        return self._parts[0] if self._parts else np.empty(0, np.int64)

    def add(self, keys: KeyColumn) -> None:
        """Put keys in, in any order."""
        if len(keys):
            self._parts.append(np.unique(keys))
        if len(self._parts) > _PARTS_MAX:
            self.to_column()

    def holds(self, keys: KeyColumn) -> npt.NDArray[np.bool_]:
        """For each key whether it is in."""
        found = np.zeros(len(keys), np.bool_)
        for part in self._parts:
            position = np.minimum(np.searchsorted(part, keys), len(part) - 1)
            found |= part[position] == keys
        return found

    def discard(self, keys: KeyColumn) -> None:
        """Take keys out; those that are not in are ignored."""
        kept = (part[~np.isin(part, keys)] for part in self._parts)
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

    def oldest(self, count: int) -> KeyColumn:
        """At most `count` keys of the earliest days."""
        keys = self.to_column()
        if len(keys) <= count:
            return keys
        return keys[np.argpartition(keys & DAY_MASK, count)[:count]]
