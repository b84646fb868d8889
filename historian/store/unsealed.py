"""What is in the log and not yet in segments: batches in order of arrival.

Writing only keeps references. Samples are sorted when somebody asks for them, which the ring makes rare, and
by the seal that takes all of them at once.
"""

from typing import NamedTuple

import numpy as np

from historian.model.sample import PointIdColumn, SampleBatch, TimeColumn
from historian.store import columns, unsealed_kernels
from historian.store.columns import Piece, Rows, Span
from historian.store.unsealed_layer import Layer

TIME_LOWEST = int(np.iinfo(np.int64).min)
TIME_HIGHEST = int(np.iinfo(np.int64).max)
SAMPLE_BYTES = 22  # of a batch: point, time, value, quality


class Found:
    """What was found for each of a list of (point, time); sources are asked one after the other."""

    def __init__(self, count: int) -> None:
        self.is_found = np.zeros(count, np.uint8)
        self.value = np.zeros(count, np.float64)
        self.quality = np.zeros(count, np.uint16)
        self.sequence = np.zeros(count, np.int64)


class Frozen(NamedTuple):
    """Everything that was unsealed at one moment; immutable, for any thread."""

    parts: tuple[Piece | Rows, ...]
    sample_count: int
    record: int  # the last log record in it; 0 where there is none

    def sorted_rows(self) -> Rows:
        """All versions ordered by point, time, sequence, arrival."""
        pieces = [
            part if isinstance(part, Piece) else Piece(SampleBatch(*part[:4]), part.sequence)
            for part in self.parts
        ]
        return columns.sort_pieces(pieces)


class Unsealed:
    """Owned by the event loop; `freeze` hands everything to a seal, `forget` or `thaw` ends it."""

    def __init__(self) -> None:
        self._frozen: Layer | None = None
        self._live = Layer()
        self._record = 0

    @property
    def count(self) -> int:
        """Samples held, those of a running seal included."""
        return sum(layer.sample_count for layer in self._layers)

    @property
    def bytes(self) -> int:
        """About how much memory the samples take."""
        return self.count * SAMPLE_BYTES

    def add(self, batch: SampleBatch, version: int, record: int) -> None:
        """Keep a batch, whose samples are of that version (sequence); its arrays are not to be written any more.

        `record` is the number of its log record; rising.
        """
        self._record = record
        if batch.sample_count:
            self._live.add(Piece(batch, np.array([version])))

    def time_span(self) -> tuple[int, int]:
        """The lowest and the highest time held; (maximum, minimum) where nothing is."""
        known = [span for layer in self._layers if (span := layer.span) is not None]
        low = min((span.time_min_us for span in known), default=TIME_HIGHEST)
        return low, max((span.time_max_us for span in known), default=TIME_LOWEST)

    def look_up(self, ids: PointIdColumn, times: TimeColumn, found: Found) -> None:
        """Take over whatever is held for the wanted samples and not older than what was found before."""
        if not len(ids):
            return
        columns_found = (found.is_found, found.value, found.quality, found.sequence)
        for rows in self._sorted_parts(columns.span_of(ids, times)):
            unsealed_kernels.look_up((*rows,), ids, times, columns_found)

    def read_versions(self, ids: PointIdColumn, start_us: int, end_us: int) -> Rows:
        """Every version of the ids' samples in ``[start, end)``, ordered by point, time, sequence."""
        if not len(ids) or start_us >= end_us:
            return columns.make_rows(0)
        ids = np.unique(ids)
        wanted = Span(start_us, end_us - 1, int(ids[0]), int(ids[-1]))
        parts = [columns.select(rows, ids, start_us, end_us) for rows in self._sorted_parts(wanted)]
        return columns.keep_versions(columns.merge(parts))

    def read_newest(self, ids: PointIdColumn, start_us: int, end_us: int) -> Rows:
        """The newest version of each of the ids' samples in ``[start, end)``, ordered by point, time."""
        newest, _ = columns.split_versions([self.read_versions(ids, start_us, end_us)])
        return newest

    def newest_time(self, ids: PointIdColumn, before_us: int) -> TimeColumn:
        """For each id the highest time below `before_us` held here; the int64 minimum where there is none."""
        newest = np.full(len(ids), TIME_LOWEST)
        if len(ids):
            wanted = Span(TIME_LOWEST, before_us - 1, int(ids.min()), int(ids.max()))
            for rows in self._sorted_parts(wanted):
                unsealed_kernels.newest_time(rows.point_id, rows.time_us, ids, before_us, newest)
        return newest

    def freeze(self) -> Frozen:
        """Everything held, for a seal; it stays readable here until `forget` or `thaw`."""
        assert self._frozen is None, "one seal at a time"
        self._frozen, self._live = self._live, Layer()
        return Frozen(self._frozen.parts, self._frozen.sample_count, self._record)

    def forget(self) -> None:
        """The frozen samples are in segments now."""
        self._frozen = None

    def thaw(self) -> None:
        """The seal failed: take the frozen samples back."""
        if self._frozen is not None:
            self._frozen.extend(self._live)
            self._live, self._frozen = self._frozen, None

    @property
    def _layers(self) -> tuple[Layer, ...]:
        return (self._live,) if self._frozen is None else (self._frozen, self._live)

    def _sorted_parts(self, wanted: Span) -> list[Rows]:
        return [rows for layer in self._layers for rows in layer.sorted_parts(wanted)]
