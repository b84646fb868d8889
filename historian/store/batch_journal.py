"""Remembers who sent which unsealed batch and when it arrived, until a segment keeps it."""

from array import array

import numpy as np

from historian.store.segment import Batches


class BatchJournal:
    """One short entry a batch, in columns."""

    def __init__(self) -> None:
        self._sequence = array("q")
        self._arrival_time_us = array("q")
        self._source = array("H")
        self._source_number: dict[str, int] = {}

    def add(self, sequence: int, arrival_time_us: int, source: str) -> None:
        """Note a batch; sequences rise. The 65,536th and later different sources share one entry."""
        number = self._source_number.get(source)
        if number is None:
            number = min(len(self._source_number), 0xFFFF)
            self._source_number[source if number < 0xFFFF else "(others)"] = number
        self._sequence.append(sequence)
        self._arrival_time_us.append(arrival_time_us)
        self._source.append(number)

    def snapshot(self) -> Batches:
        """All entries, copied."""
        return Batches(
            np.array(self._sequence, np.int64),
            np.array(self._arrival_time_us, np.int64),
            np.array(self._source, np.uint16),
            list(self._source_number),
        )

    def drop_through(self, sequence: int) -> None:
        """Forget batches up to `sequence`: a segment keeps them."""
        keep = (
            int(np.searchsorted(np.frombuffer(self._sequence, np.int64), sequence, "right"))
            if self._sequence
            else 0
        )
        self._sequence = self._sequence[keep:]
        self._arrival_time_us = self._arrival_time_us[keep:]
        self._source = self._source[keep:]


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
