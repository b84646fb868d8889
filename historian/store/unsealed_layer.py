"""Pieces in order of arrival, sorted only where somebody looks.

Each part knows the bounds of its times and points, so that a question which concerns none costs next to
nothing. A part that is asked is sorted once; neighbours that are both sorted are merged as long as the earlier
one is not at least twice as large, so that a sample is moved O(log n) times.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from historian.model.sample import join_batches
from historian.store import columns
from historian.store.columns import Piece, Rows, Span

LEVEL_RATIO = 2
SMALL_SAMPLES = 256  # pieces below wait to be joined with others, so that none costs more than its samples
JOINED_SAMPLES = 4096
_WAITING_MAX = 1024
_SPANS_MIN = 16


class Layer:
    """Samples as pieces and sorted rows, by arrival; ties of sequence are won by the later one."""

    def __init__(self) -> None:
        self._parts: list[Piece | Rows] = []
        self._waiting: list[Piece] = []  # small ones that arrived after all parts
        self._spans = np.empty((_SPANS_MIN, 4), np.int64)  # of the parts, see columns.Span
        self._span_count = 0  # the spans of later parts have not been looked at
        self.sample_count = 0

    def add(self, piece: Piece) -> None:
        """Keep a piece with at least one sample; nothing is copied unless it is small."""
        self.sample_count += piece.batch.sample_count
        if piece.batch.sample_count < SMALL_SAMPLES:
            self._waiting.append(piece)
            if len(self._waiting) >= _WAITING_MAX:
                self._join_waiting()
        else:
            self._join_waiting()
            self._parts.append(piece)

    def extend(self, later: "Layer") -> None:
        """Take over all of a layer that arrived later."""
        self._parts = [*self.parts, *later.parts]
        self.sample_count += later.sample_count

    @property
    def parts(self) -> tuple[Piece | Rows, ...]:
        """Everything, as it is at the moment; immutable."""
        self._join_waiting()
        return tuple(self._parts)

    @property
    def span(self) -> Span | None:
        """Bounds of all samples; None where there are none."""
        spans = self._known_spans()
        if not len(spans):
            return None
        lows, highs = spans.min(axis=0).tolist(), spans.max(axis=0).tolist()
        return Span(lows[0], highs[1], lows[2], highs[3])

    def sorted_parts(self, wanted: Span) -> list[Rows]:
        """Sorted rows, by arrival, that between them hold every sample within `wanted` (and others)."""
        places = self._concerned(wanted)
        raw = [place for place in places if isinstance(self._parts[place], Piece)]
        if raw:
            self._sort(set(raw))
            places = self._concerned(wanted)
        return [part for place in places if isinstance(part := self._parts[place], Rows)]

    def _concerned(self, wanted: Span) -> list[int]:
        """Which parts may hold something within `wanted`."""
        spans = self._known_spans()
        touches = (spans[:, 0] <= wanted.time_max_us) & (spans[:, 1] >= wanted.time_min_us)
        touches &= (spans[:, 2] <= wanted.id_max) & (spans[:, 3] >= wanted.id_min)
        return np.flatnonzero(touches).tolist()

    def _known_spans(self) -> npt.NDArray[np.int64]:
        """The spans of all parts."""
        self._join_waiting()
        count = len(self._parts)
        if count > len(self._spans):
            self._spans = np.concatenate([self._spans, np.empty((count, 4), np.int64)])
        for place in range(self._span_count, count):
            self._spans[place] = _span(self._parts[place])
        self._span_count = count
        return self._spans[:count]

    def _join_waiting(self) -> None:
        """Make one part of the small pieces, together with the part before where that is still short."""
        if not self._waiting:
            return
        pieces, self._waiting = self._waiting, []
        last = self._parts[-1] if self._parts else None
        if isinstance(last, Piece) and last.batch.sample_count < JOINED_SAMPLES:
            pieces.insert(0, last)
            self._parts.pop()
            self._span_count = min(self._span_count, len(self._parts))
        self._parts.append(_joined(pieces))

    def _sort(self, places: set[int]) -> None:
        """Sort the raw parts at these places, neighbours together, and merge."""
        first = min(places)
        rest, spans = self._parts[first:], self._spans[first : self._span_count].copy()
        del self._parts[first:]
        place = 0
        while place < len(rest):
            end = place
            while end < len(rest) and first + end in places:
                end += 1
            if end > place:
                pieces = [part for part in rest[place:end] if isinstance(part, Piece)]
                self._push(columns.sort_pieces(pieces), _united(spans[place:end]))
            else:
                end = place + 1
                self._push(rest[place], spans[place])
            place = end
        self._span_count = len(self._parts)

    def _push(self, part: Piece | Rows, span: npt.NDArray[np.int64]) -> None:
        """Append a part whose span is known; sorted neighbours of similar size become one."""
        parts = self._parts
        parts.append(part)
        self._spans[len(parts) - 1] = span
        while len(parts) > 1:
            earlier, later = parts[-2:]
            if isinstance(earlier, Piece) or isinstance(later, Piece):
                return
            if earlier.row_count >= LEVEL_RATIO * later.row_count:
                return
            self._spans[len(parts) - 2] = _united(self._spans[len(parts) - 2 : len(parts)])
            parts[-2:] = [columns.merge([earlier, later])]


def _joined(pieces: Sequence[Piece]) -> Piece:
    if len(pieces) == 1:
        return pieces[0]
    sequence = [np.broadcast_to(piece.sequence, piece.batch.sample_count) for piece in pieces]
    return Piece(join_batches([piece.batch for piece in pieces]), np.concatenate(sequence))


def _united(spans: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """One span around several."""
    lows, highs = spans.min(axis=0), spans.max(axis=0)
    return np.array([lows[0], highs[1], lows[2], highs[3]])


def _span(part: Piece | Rows) -> Span:
    if isinstance(part, Piece):
        return columns.span_of(part.batch.point_id, part.batch.time_us)
    return columns.span_of(part.point_id, part.time_us)
