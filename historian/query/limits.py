"""What a query may ask for; checked before work starts, so that one caller cannot starve the others."""

from collections.abc import Sequence

import msgspec

from historian.errors import QueryError, QueryTooLarge
from historian.model.point import Point
from historian.model.timerange import TimeRange


class QueryLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one query."""

    samples_max: int = 2_000_000  # returned, over all points
    scanned_samples_max: int = 50_000_000  # read to make figures of them
    points_max: int = 10_000
    slots_max: int = 500_000  # grid slots or summaries, over all points
    width_max: int = 20_000  # pixel columns of a plot


def expected_sample_count(points: Sequence[Point], span: TimeRange) -> int:
    """How many samples the points promise for that time by their intervals."""
    return sum(-(-span.duration_us // point.interval_us) for point in points)


def check_point_count(limits: QueryLimits, points: Sequence[Point]) -> None:
    """Raise QueryTooLarge for too many points."""
    check_count_of_points(limits, len(points))


def check_count_of_points(limits: QueryLimits, count: int) -> None:
    """Likewise, where only their number is at hand."""
    if count > limits.points_max:
        raise QueryTooLarge(f"{count} points are asked for, the limit is {limits.points_max}; ask for a part")


def check_sample_count(count: int, count_max: int) -> None:
    """Raise QueryTooLarge for too many samples, expected or found."""
    if count > count_max:
        raise QueryTooLarge(
            f"the query covers about {count} samples, the limit is {count_max}; "
            "ask for a shorter time or fewer points, or page with a limit"
        )


def slot_count(limits: QueryLimits, span: TimeRange, interval_us: int, point_count: int) -> int:
    """How many slots of `interval_us` the span has. Raises QueryTooLarge if all points' are too many."""
    count = -(-span.duration_us // interval_us)
    if count * point_count > limits.slots_max:
        raise QueryTooLarge(
            f"{count} slots for each of {point_count} points are asked for, the limit is {limits.slots_max}; "
            "ask for a longer interval, a shorter time or fewer points"
        )
    return count


def check_width(limits: QueryLimits, width: int) -> None:
    """Raise QueryTooLarge for a plot of too many pixel columns, QueryError for one of none."""
    if width < 1:
        raise QueryError(f"a plot of {width} columns shows nothing; ask for 1 or more")
    if width > limits.width_max:
        raise QueryTooLarge(f"a plot of {width} columns is asked for, the limit is {limits.width_max}")
