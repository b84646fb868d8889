"""Dictionaries of point names that were sent before, with the ids of their points: a repeated one costs a comparison."""

from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from historian.catalogue.registry import Registry
from historian.errors import PointNotFound
from historian.model.sample import PointIdColumn

DICTIONARIES_MAX: Final = 16
BYTES_MAX: Final = 64 << 20  # of all kept together


class Names(NamedTuple):
    """A dictionary's names and their ids, 0 where there is no such point; one 0 more stands for null."""

    names: list[str | None]
    ids_and_none: PointIdColumn


class _Kept(NamedTuple):
    length: int
    type: Any
    buffers: tuple[Any, Any]
    names: Names
    revision: int


class KnownNames:
    """The dictionaries used last. An id never becomes wrong: it is never reused, nor a former name given away."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._kept: list[_Kept] = []  # the one used last first

    def look_up(self, dictionary: Any) -> Names:
        """The ids of a dictionary of utf8. Raises pyarrow.ArrowInvalid where its text is damaged."""
        buffers = dictionary.buffers()
        is_plain = dictionary.null_count == 0 and dictionary.offset == 0 and len(dictionary) > 0
        for index, kept in enumerate(self._kept if is_plain else ()):
            if (
                kept.length == len(dictionary)
                and kept.type == dictionary.type
                and kept.buffers[0].equals(buffers[1])
                and kept.buffers[1].equals(buffers[2])
            ):
                del self._kept[index]
                if kept.revision != self._registry.revision and not kept.names.ids_and_none[:-1].all():
                    kept = self._find(kept.names.names, kept)
                self._kept.insert(0, kept)
                return kept.names
        dictionary.validate(full=True)
        names = self._ids_of(dictionary.to_pylist())
        if is_plain:
            self._keep(
                _Kept(len(dictionary), dictionary.type, _copies(buffers), names, self._registry.revision)
            )
        return names

    def _find(self, names: list[str | None], kept: _Kept) -> _Kept:
        """As kept, with points that were made since."""
        return kept._replace(names=self._ids_of(names), revision=self._registry.revision)

    def _ids_of(self, names: list[str | None]) -> Names:
        ids = np.zeros(len(names) + 1, np.uint32)
        ids[:-1] = self._registry.find_ids([name or "" for name in names])
        for i in np.flatnonzero(ids[:-1] == 0).tolist():
            name = names[i]
            if name is not None and name.isdigit():  # an id in words, as everywhere else
                ids[i] = self._id_of(name)
        return Names(names, ids)

    def _id_of(self, digits: str) -> int:
        try:
            return self._registry.get(digits).id
        except PointNotFound:
            return 0

    def _keep(self, kept: _Kept) -> None:
        self._kept.insert(0, kept)
        size = 0
        for index, one in enumerate(self._kept):
            size += one.buffers[0].size + one.buffers[1].size
            if index == DICTIONARIES_MAX or size > BYTES_MAX:
                del self._kept[index:]
                break


def _copies(buffers: list[Any]) -> tuple[Any, Any]:
    """Offsets and text in memory of their own, so that no request's body is kept for them."""
    offsets, text = (pa.py_buffer(buffer.to_pybytes()) for buffer in buffers[1:3])
    return offsets, text
