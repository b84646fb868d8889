"""When points promise samples: not while they are retired, and not beyond now. Gaps are looked for in what was promised."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from historian.model.point import Point
from historian.model.sample import SampleRun
from historian.model.timerange import TimeRange
from historian.query.gaps import Gap, OutageBook, find_missing, name_causes

POINT_RETIRED: Final = "point_retired"  # the term `retired` holds: nothing is missing
NOT_DUE: Final = "not_due"  # of now and later: nothing is missing yet

Retired = Mapping[int, Sequence[TimeRange]]  # by point id, by rising time; of points that ever are


class NeverRetired:
    """Implements `ports.Retirements` where nobody states that."""

    def retired(self) -> Retired:
        return {}


def rows_of(point_id: npt.NDArray[np.integer], retired: Retired) -> list[tuple[int, Sequence[TimeRange]]]:
    """The rows of those points that ever are retired, and when."""
    if not retired:
        return []
    rows = np.flatnonzero(np.isin(point_id, np.fromiter(retired, np.int64, len(retired)))).tolist()
    return [(row, retired[int(point_id[row])]) for row in rows]


def is_retired(spans: Sequence[TimeRange], now_us: int) -> bool:
    """Whether the point is out of use now."""
    return any(span.contains(now_us) for span in spans)


def gaps_of_group(
    points: Sequence[Point],
    runs: Sequence[SampleRun],
    firsts_us: Sequence[int | None],
    span: TimeRange,
    now_us: int,
    book: OutageBook,
    retired: Retired,
) -> list[list[Gap]]:
    """The gaps of each point; times in which it is retired are told as such, and nothing is missing there."""
    return [
        _gaps_of(point, run, first_us, span, now_us, book, retired.get(point.id, ()))
        for point, run, first_us in zip(points, runs, firsts_us, strict=True)
    ]


def not_due(point: Point, span: TimeRange, now_us: int) -> list[Gap]:
    """The part of the span of which nothing was due yet."""
    start_us = max(span.start_us, now_us - (point.interval_us if point.has_period else 0))
    return [_nothing(TimeRange(start_us, span.end_us), NOT_DUE)] if start_us < span.end_us else []


def _gaps_of(
    point: Point,
    run: SampleRun,
    first_us: int | None,
    span: TimeRange,
    now_us: int,
    book: OutageBook,
    retired: Sequence[TimeRange],
) -> list[Gap]:
    finder, found, start_us = book.finder(point), list[Gap](), span.start_us

    def look(part: TimeRange) -> None:
        if not part.is_empty:
            found.extend(name_causes(point, find_missing(point, run, part, now_us), run, finder, first_us))

    for out_of_use in (one.overlap(span) for one in retired):
        if not out_of_use.is_empty:
            look(TimeRange(start_us, out_of_use.start_us))
            found.append(_nothing(out_of_use, POINT_RETIRED))
            start_us = out_of_use.end_us
    look(TimeRange(start_us, span.end_us))
    return found


def _nothing(span: TimeRange, cause: str) -> Gap:
    return Gap(start_us=span.start_us, end_us=span.end_us, missing_count=0, cause=cause, detail="")
