"""Which point each written key of line protocol means: a hash table that the kernel reads.

A key is the bytes of a series (measurement and tags as written) and of a field key. Two spellings of one
series are two keys of one point. An entry never becomes wrong: ids are never reused and a former name is never
given away, so nothing has to be taken out again.
"""

import secrets
from typing import Final

import numpy as np

from api import line_protocol_kernels as kernels

KEYS_MAX: Final = 1 << 20  # above it the table starts anew; it is only a memory of look-ups
_SLOTS_FIRST: Final = 1 << 10
_ARENA_BYTES_FIRST: Final = 1 << 16


class LineKeyTable:
    """Grows by doubling. One thread inserts; others may read meanwhile with the arrays they took before."""

    def __init__(self, keys_max: int = KEYS_MAX) -> None:
        self._keys_max = keys_max
        self.seed = np.uint64(secrets.randbits(64))  # so that nobody can choose keys that collide
        self._start_anew()

    @property
    def key_count(self) -> int:
        return self._key_count

    def find(self, series: bytes, field_key: bytes) -> int:
        """The point id of a key, 0 where it is not known."""
        key, span = _joined(series, field_key)
        return int(self.slot_id[self._slot(key, span)])

    def insert(self, series: bytes, field_key: bytes, point_id: int) -> None:
        """Remember which point a key means."""
        assert point_id > 0, "ids start at 1; 0 marks a free slot"
        if self._key_count >= self._keys_max:
            self._start_anew()
        elif 2 * self._key_count >= len(self.slot_id):
            self._rehash(2 * len(self.slot_id))
        key, span = _joined(series, field_key)
        slot = self._slot(key, span)
        if self.slot_id[slot] != 0:
            return
        self._reserve(len(key))
        self.arena[self._arena_size : self._arena_size + len(key)] = key
        self.slot_hash[slot] = self._hash(key, span)
        self.entry[slot] = (self._arena_size, len(series), len(field_key))
        self.slot_id[slot] = point_id  # last: a reader that sees it sees the rest
        self._arena_size += len(key)
        self._key_count += 1

    def _start_anew(self) -> None:
        self._key_count = 0
        self._arena_size = 0
        self.slot_hash = np.zeros(_SLOTS_FIRST, np.uint64)
        self.slot_id = np.zeros(_SLOTS_FIRST, np.uint32)
        self.entry = np.zeros((_SLOTS_FIRST, kernels.ENTRY_WIDTH), np.int64)
        self.arena = np.zeros(_ARENA_BYTES_FIRST, np.uint8)

    def _rehash(self, slot_count: int) -> None:
        used = np.flatnonzero(self.slot_id)
        hashes, ids, entries = self.slot_hash[used], self.slot_id[used], self.entry[used]
        self.slot_hash = np.zeros(slot_count, np.uint64)
        self.slot_id = np.zeros(slot_count, np.uint32)
        self.entry = np.zeros((slot_count, kernels.ENTRY_WIDTH), np.int64)
        kernels.place_keys(hashes, ids, entries, self.slot_hash, self.slot_id, self.entry)

    def _reserve(self, size: int) -> None:
        if self._arena_size + size > len(self.arena):
            larger = np.zeros(max(2 * len(self.arena), self._arena_size + size), np.uint8)
            larger[: self._arena_size] = self.arena[: self._arena_size]
            self.arena = larger

    def _slot(self, key: kernels.Bytes, span: kernels.I64) -> int:
        key_hash = self._hash(key, span)
        return kernels.find_key(key, span, key_hash, self.slot_hash, self.slot_id, self.entry, self.arena)

    def _hash(self, key: kernels.Bytes, span: kernels.I64) -> np.uint64:
        return np.uint64(kernels.hash_key(key, 0, int(span[kernels.KEY_END]), self.seed))


def _joined(series: bytes, field_key: bytes) -> tuple[kernels.Bytes, kernels.I64]:
    size = len(series)
    span = np.array([0, size, size, size + len(field_key)], np.int64)
    return np.frombuffer(series + field_key, np.uint8), span
