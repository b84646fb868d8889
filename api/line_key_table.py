"""Which point each written key of line protocol means: a hash table that the kernel reads.

A key is the bytes of a series (measurement and tags as written) and of a field key. Two spellings of one
series are two keys of one point. An entry never becomes wrong: ids are never reused and a former name is never
given away, so nothing has to be taken out again.
"""

import secrets
from typing import Final

import numpy as np

from api import line_protocol_kernels as kernels
from api.text_kernels import WORD_ROOM, Bytes

KEYS_MAX: Final = 1 << 20  # above it the table starts anew; it is only a memory of look-ups
_KEYS_FIRST: Final = 1 << 9
_ARENA_BYTES_FIRST: Final = 1 << 16
_WORD_BYTES: Final = 8  # keys begin on whole words


class LineKeyTable:
    """Grows by doubling. One thread inserts; others may read meanwhile with the `keys` they took before.

    Arrays are replaced all together or none: what is put into `keys` in place fits its other arrays.
    """

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
        number = self.keys.slot_entry[self._slot(key, span)]
        return int(self.keys.entry[number, kernels.ENTRY_POINT])

    def insert(self, series: bytes, field_key: bytes, point_id: int) -> None:
        """Remember which point a key means."""
        assert point_id > 0, "ids start at 1; 0 marks a key that is not known"
        if self._key_count >= self._keys_max:
            self._start_anew()
        text = series + b" " + field_key + b"="
        self._reserve(len(text))
        key, span = _joined(series, field_key)
        slot = self._slot(key, span)
        keys = self.keys
        if keys.slot_entry[slot] != 0:
            return
        self._key_count += 1
        keys.arena[self._arena_size : self._arena_size + len(text)] = np.frombuffer(text, np.uint8)
        keys.entry[self._key_count] = (self._arena_size, len(series), len(field_key), len(text), point_id)
        keys.slot_hash[slot] = self._hash(key, span)
        keys.slot_entry[slot] = self._key_count  # last: a reader that sees it sees the rest
        self._arena_size += -(-len(text) // _WORD_BYTES) * _WORD_BYTES

    def _start_anew(self) -> None:
        self._key_count = 0
        self._arena_size = 0
        self.keys = _make_keys(_KEYS_FIRST, _ARENA_BYTES_FIRST)

    def _reserve(self, size: int) -> None:
        """Room for one more key of `size` bytes."""
        old, count = self.keys, self._key_count
        keys_max, bytes_max = len(old.entry) - 1, len(old.arena)
        if count < keys_max and self._arena_size + size + WORD_ROOM <= bytes_max:
            return
        bytes_needed = 2 * self._arena_size + size + WORD_ROOM
        grown = _make_keys(2 * keys_max if count == keys_max else keys_max, max(bytes_max, bytes_needed))
        grown.arena[: self._arena_size] = old.arena[: self._arena_size]
        grown.entry[: count + 1] = old.entry[: count + 1]
        grown.following[: count + 1] = old.following[: count + 1]
        used = np.flatnonzero(old.slot_entry)
        kernels.place_keys(old.slot_hash[used], old.slot_entry[used], grown.slot_hash, grown.slot_entry)
        self.keys = grown

    def _slot(self, key: Bytes, span: kernels.I64) -> int:
        keys = self.keys
        return kernels.find_key(
            key, span, self._hash(key, span), keys.slot_hash, keys.slot_entry, keys.entry, keys.arena
        )

    def _hash(self, key: Bytes, span: kernels.I64) -> np.uint64:
        return np.uint64(kernels.hash_key(key, 0, int(span[kernels.KEY_END]), self.seed))


def _make_keys(keys_max: int, arena_bytes: int) -> kernels.Keys:
    """An empty table: twice as many slots as keys, and an entry more, which stands for none."""
    entry = np.zeros((keys_max + 1, kernels.ENTRY_WIDTH), np.int64)
    entry[kernels.FIRST, kernels.ENTRY_SIZE] = kernels.NEVER
    words = np.zeros(-(-arena_bytes // _WORD_BYTES), np.uint64)
    return kernels.Keys(
        np.zeros(2 * keys_max, np.uint64),
        np.zeros(2 * keys_max, np.uint32),
        entry,
        np.zeros(keys_max + 1, np.uint32),
        words.view(np.uint8),
    )


def _joined(series: bytes, field_key: bytes) -> tuple[Bytes, kernels.I64]:
    size = len(series)
    span = np.array([0, size, size, size + len(field_key)], np.int64)
    return np.frombuffer(series + field_key, np.uint8), span
