"""Pieces in order of arrival, sorted only where somebody looks.

Each piece knows the bounds of its times and points, so that a question which concerns none costs next to
nothing. A piece that is asked is sorted once; neighbours that are both sorted are merged as long as the earlier
one is not at least twice as large, so that a sample is moved O(log n) times.
"""

import numpy as np
import numpy.typing as npt

from historian.store import columns
from historian.store.columns import Piece, Rows, Span

LEVEL_RATIO = 2
_SPANS_MIN = 16


class Layer:
    """Samples as pieces and sorted rows, by arrival; ties of sequence are won by the later one."""

    def __init__(self) -> None:
        self._parts: list[Piece | Rows] = []
        self._spans = np.empty((_SPANS_MIN, 4), np.int64)  # see columns.Span
        self._span_count = 0  # the spans of later parts have not been looked at
        self.sample_count = 0

    def add(self, piece: Piece) -> None:
        """Keep a piece with at least one sample; nothing is copied."""
        self._parts.append(piece)
        self.sample_count += piece.batch.sample_count

    def extend(self, later: "Layer") -> None:
        """Take over all of a layer that arrived later."""
        self._parts += later._parts
        self.sample_count += later.sample_count

    @property
    def parts(self) -> tuple[Piece | Rows, ...]:
        """Everything, as it is at the moment; immutable."""
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
        spans = self._known_spans()
        concerns = (spans[:, 0] <= wanted.time_max_us) & (spans[:, 1] >= wanted.time_min_us)
        concerns &= (spans[:, 2] <= wanted.id_max) & (spans[:, 3] >= wanted.id_min)
        if not concerns.any():
            return []
        self._sort(concerns)
        spans = self._known_spans()
        concerns = (spans[:, 0] <= wanted.time_max_us) & (spans[:, 1] >= wanted.time_min_us)
        concerns &= (spans[:, 2] <= wanted.id_max) & (spans[:, 3] >= wanted.id_min)
        return [part for place in np.flatnonzero(concerns) if isinstance(part := self._parts[place], Rows)]

    def _known_spans(self) -> npt.NDArray[np.int64]:
        """The spans of all parts."""
        count = len(self._parts)
        if count > len(self._spans):
            self._spans = np.concatenate([self._spans, np.empty((count, 4), np.int64)])
        for place in range(self._span_count, count):
            self._spans[place] = _span(self._parts[place])
        self._span_count = count
        return self._spans[:count]

    def _sort(self, concerns: npt.NDArray[np.bool_]) -> None:
        """Sort the parts that are concerned, neighbours together, then merge."""
        parts: list[Piece | Rows] = []
        raw: list[Piece] = []
        for part, is_concerned in zip(self._parts, concerns.tolist(), strict=True):
            if is_concerned and isinstance(part, Piece):
                raw.append(part)
                continue
            if raw:
                _push(parts, columns.sort_pieces(raw))
                raw = []
            _push(parts, part)
        if raw:
            _push(parts, columns.sort_pieces(raw))
        if len(parts) != len(self._parts) or concerns.any():
            self._parts, self._span_count = parts, 0


def _push(parts: list[Piece | Rows], part: Piece | Rows) -> None:
    """Append a part; sorted neighbours of similar size become one."""
    parts.append(part)
    while len(parts) > 1:
        earlier, later = parts[-2:]
        if isinstance(earlier, Piece) or isinstance(later, Piece):
            return
        if earlier.row_count >= LEVEL_RATIO * later.row_count:
            return
        parts[-2:] = [columns.merge([earlier, later])]


def _span(part: Piece | Rows) -> Span:
    if isinstance(part, Piece):
        return columns.span_of(part.batch.point_id, part.batch.time_us)
    return columns.span_of(part.point_id, part.time_us)
