"""From names to point ids and back, without a Python object for each."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from historian.catalogue import name_kernels as kernels
from historian.catalogue.text_column import TextBlock, TextColumn, Texts, pack
from historian.model.sample import PointIdColumn

_SLOTS_MIN: Final = 4096
_KNOWN_MAX: Final = 16_384


class _Table(NamedTuple):
    """A hash table and the names it speaks of; always a pair that belongs together."""

    slots: PointIdColumn
    names: TextBlock


class NameIndex:
    """Unique names by id and ids by name. Changes come from one thread at a time; anybody may look up meanwhile."""

    def __init__(self) -> None:
        self.names = TextColumn()
        self._entry_count = 0
        self._table = _Table(np.zeros(_SLOTS_MIN, np.uint32), self.names.block)
        self._known: dict[str, int] = {}  # what was asked for one by one

    def append(self, ids: PointIdColumn, names: Texts) -> None:
        """Names of new ids, rising."""
        if len(ids) == 0:
            return
        self.names.append(ids, names)
        self._enter(int(ids[0]), int(ids[-1]) + 1, len(ids))

    def replace(self, point_id: int, name: str) -> None:
        """Another name for an id; the former one is nobody's now."""
        self.names.replace(point_id, name)
        self._enter(point_id, point_id + 1, 1)
        self._known = {}

    def find(self, name: str) -> int:
        """The id of that name, 0 where there is none."""
        point_id = self._known.get(name)
        if point_id is not None:
            return point_id
        known = self._known
        point_id = int(self.find_many([name])[0])
        if point_id:
            if len(known) >= _KNOWN_MAX:
                self._known = known = {}
            known[name] = point_id
        return point_id

    def find_many(self, names: Sequence[str]) -> PointIdColumn:
        """The id of each name, 0 where there is none."""
        found = np.zeros(len(names), np.uint32)
        if len(names):
            table = self._table
            kernels.find_names(table.slots, *table.names, *pack(names), found)
        return found

    def _enter(self, first_id: int, end_id: int, count: int) -> None:
        self._entry_count += count
        slots, block = self._table.slots, self.names.block
        if 2 * self._entry_count > len(slots):
            slots = np.zeros(1 << int(4 * self._entry_count - 1).bit_length(), np.uint32)
            kernels.insert_names(slots, *block, 1, self.names.length)
            self._entry_count = int(np.count_nonzero(slots))
        else:
            kernels.insert_names(slots, *block, first_id, end_id)
        self._table = _Table(slots, block)
