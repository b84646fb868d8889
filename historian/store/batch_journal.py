"""Remembers who sent which unsealed batch and when it arrived, until a segment keeps it."""

from array import array
from typing import Final

import numpy as np

from historian.model.sample import Origin
from historian.store.segment import Batches

ORIGINS_MAX: Final = 0xFFFF
OTHER_ORIGINS: Final = "(others)"


class BatchJournal:
    """One short entry a batch, in columns; records rise."""

    def __init__(self) -> None:
        self._record = array("q")
        self._version = array("q")
        self._arrival_time_us = array("q")
        self._origin = array("H")
        self._origin_number: dict[str, int] = {}

    def add(self, record: int, version: int, arrival_time_us: int, origin: Origin) -> None:
        """Note a batch. The 65,535th and later different origins share one entry."""
        text = origin.text
        number = self._origin_number.get(text)
        if number is None:
            if len(self._origin_number) >= ORIGINS_MAX:
                text = OTHER_ORIGINS
            number = self._origin_number.setdefault(text, len(self._origin_number))
        self._record.append(record)
        self._version.append(version)
        self._arrival_time_us.append(arrival_time_us)
        self._origin.append(number)

    def snapshot(self) -> Batches:
        """All entries by rising version, copied; of equal versions the latest."""
        version = np.array(self._version, np.int64)
        backwards, place = np.unique(version[::-1], return_index=True)
        place = len(version) - 1 - place
        return Batches(
            backwards,
            np.array(self._arrival_time_us, np.int64)[place],
            np.array(self._origin, np.uint16)[place],
            list(self._origin_number),
        )

    def drop_through(self, record: int) -> None:
        """Forget batches up to `record`: a segment keeps them. Origins nobody needs any more go with them."""
        records = np.array(self._record, np.int64)
        keep = int(np.searchsorted(records, record, "right"))
        self._record = self._record[keep:]
        self._version = self._version[keep:]
        self._arrival_time_us = self._arrival_time_us[keep:]
        used, numbers = np.unique(np.array(self._origin[keep:], np.uint16), return_inverse=True)
        texts = list(self._origin_number)
        self._origin_number = {texts[old]: new for new, old in enumerate(used.tolist())}
        self._origin = array("H", numbers.astype(np.uint16).tobytes())


def join(parts: list[Batches]) -> Batches:
    """One set of entries out of several segments', by rising sequence."""
    numbers: dict[str, int] = {}
    sources = []
    for part in parts:
        mapping = [numbers.setdefault(name, len(numbers)) for name in part.source_names]
        sources.append(np.array(mapping, np.uint16)[part.source] if mapping else part.source)
    sequence = np.concatenate([part.sequence for part in parts])
    sequence, first = np.unique(sequence, return_index=True)
    arrival = np.concatenate([part.arrival_time_us for part in parts])[first]
    return Batches(sequence, arrival, np.concatenate(sources)[first], list(numbers))
