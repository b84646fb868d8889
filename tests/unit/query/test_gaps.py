"""What is missing, from when to when, how many, and why."""

from collections.abc import Sequence

import pytest

from historian.catalogue.journal import Outage
from historian.model.point import Point, PointKind
from historian.model.quality import BAD
from historian.model.quarantine import Rejected
from historian.model.timerange import TimeRange
from historian.query.gaps import (
    BAD_QUALITY,
    NO_DATA_YET,
    UNKNOWN,
    Gap,
    OutageBook,
    find_missing,
    name_causes,
)
from tests.unit.query.samples import INTERVAL_US, Sample, make_point, make_run

T = INTERVAL_US
NEVER_US = 10**6 * T


def missing(
    samples: Sequence[Sample],
    start: float,
    end: float,
    now_us: int = NEVER_US,
    kind: PointKind = PointKind.INSTANTANEOUS,
) -> list[tuple[float, float, int]]:
    """Start, end (both in intervals) and count of each stretch."""
    span = TimeRange(round(start * T), round(end * T))
    found = find_missing(make_point(kind), make_run(samples), span, now_us)
    return [
        (start_us / T, end_us / T, count)
        for start_us, end_us, count in zip(*(column.tolist() for column in found[:3]), strict=True)
    ]


def every(*intervals: float) -> list[Sample]:
    return [(round(k * T), 1.0) for k in intervals]


@pytest.mark.parametrize(
    ("intervals", "expected"),
    [
        pytest.param([0, 1, 2, 3, 4, 5], [], id="all there"),
        pytest.param([0, 1, 3, 4, 5], [(2, 3, 1)], id="one missing"),
        pytest.param([0, 5], [(1, 5, 4)], id="four missing"),
        pytest.param([0, 2, 4], [(1, 2, 1), (3, 4, 1), (5, 6, 1)], id="every second"),
        pytest.param([2, 3, 4, 5], [(0, 2, 2)], id="the first ones"),
        pytest.param([0, 1, 2], [(3, 6, 3)], id="the last ones"),
        pytest.param([], [(0, 6, 6)], id="all"),
        pytest.param([0.2, 0.9, 2.3, 2.8, 4.1, 5.3], [], id="jitter below half an interval"),
        pytest.param([0, 1, 2.6, 3.6, 4.6, 5.6], [(2, 2.6, 1)], id="jitter above half an interval"),
        pytest.param([0, 1, 2.4, 3.4, 4.4, 5.4], [], id="a source that drifts"),
        pytest.param([0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5], [], id="more often than promised"),
    ],
)
def test_what_is_missing_within_a_range(
    intervals: list[float], expected: list[tuple[float, float, int]]
) -> None:
    assert missing(every(*intervals), 0, 6) == expected


def test_a_sample_before_the_range_says_when_the_next_was_due() -> None:
    assert missing(every(-0.5, 1.5), 0, 2) == [(0.5, 1.5, 1)]
    assert missing(every(-1.8, 0.2, 1.2), 0, 2) == []  # the one missed was due before the range
    assert missing(every(-1, 2), 0, 3) == [(0, 2, 2)]


def test_nothing_is_missing_before_it_is_due() -> None:
    assert missing(every(0, 1, 2), 0, 10, now_us=3 * T) == []
    assert missing(every(0, 1, 2), 0, 10, now_us=4 * T) == [(3, 4, 1)]
    assert missing(every(0, 1, 2), 0, 10, now_us=4 * T, kind=PointKind.MEAN_POWER) == []
    assert missing(every(0, 1, 2), 0, 10, now_us=5 * T, kind=PointKind.MEAN_POWER) == [(3, 4, 1)]
    assert missing([], 5, 10, now_us=4 * T) == []


def test_counts_of_parts_make_the_count_of_the_whole() -> None:
    samples = every(0, 1, 4, 7, 8, 9, 15)
    whole = sum(count for _, _, count in missing(samples, 0, 20))
    parts = sum(count for start in range(20) for _, _, count in missing(samples, start, start + 1))
    assert whole == parts == 13


def causes(
    samples: Sequence[Sample],
    outages: Sequence[Outage],
    end: int = 10,
    first_us: int | None = 0,
    rejected: Sequence[Rejected] = (),
) -> list[Gap]:
    point: Point = make_point(source="modbus", station="S1")
    run = make_run(samples)
    span = TimeRange(0, end * T)
    return name_causes(
        point,
        find_missing(point, run, span, NEVER_US),
        run,
        OutageBook(outages, rejected).finder(point),
        first_us,
    )


def outage(start: float, end: float | None, cause: str = "link_down", source: str = "modbus") -> Outage:
    return Outage(
        source, round(start * T), None if end is None else round(end * T), cause, f"{cause} of {source}"
    )


def rejected(point_id: int, *arrivals: float) -> list[Rejected]:
    return [Rejected(point_id, round(at * T), "time_in_future") for at in arrivals]


def test_samples_in_the_quarantine_name_the_cause_of_the_gap_in_which_they_came() -> None:
    point_id = make_point().id
    samples, came = every(0, 1, 5, 6, 7, 8, 9), rejected(point_id, 2, 3, 4)
    [gap] = causes(samples, [], rejected=came)
    assert (gap.cause, gap.detail) == ("rejected_by_rule", "3 samples in the quarantine: time_in_future")
    assert causes(samples, [], rejected=came[:1])[0].cause == UNKNOWN  # one of three explains nothing
    assert causes(samples, [], rejected=rejected(point_id + 1, 2, 3, 4))[0].cause == UNKNOWN


def test_what_covers_most_of_a_gap_names_its_cause_whoever_tells_it() -> None:
    samples, came = every(0, 1, 9), rejected(make_point().id, 2, 3, 4, 5)
    [gap] = causes(samples, [outage(1, 8)], rejected=came)
    assert gap.cause == "link_down"
    [gap] = causes(samples, [outage(1, 4)], rejected=came)
    assert gap.cause == "rejected_by_rule"


def test_outages_of_a_station_explain_the_gaps_of_its_points() -> None:
    file = outage(1, 5, "missing_file", "station:S1")
    assert causes(every(0, 1, 5, 6, 7, 8, 9), [file])[0].cause == "missing_file"
    other = outage(1, 5, "missing_file", "station:S2")
    assert causes(every(0, 1, 5, 6, 7, 8, 9), [other])[0].cause == UNKNOWN


def test_recorded_outages_of_one_source_may_overlap() -> None:
    files = [outage(1, 9, "missing_file"), outage(2, 3, "missing_file")]
    found = causes(every(0, 1, 9), files)
    assert [gap.cause for gap in found] == ["missing_file"]
    [gap] = causes(every(0, 1, 2, 3, 4, 9), [outage(0, 9), outage(1, 2)])  # the later one ends first
    assert gap.cause == "link_down"


def test_a_gap_without_an_outage_is_unknown() -> None:
    assert causes(every(0, 1, 5, 6, 7, 8, 9), []) == [
        Gap(start_us=2 * T, end_us=5 * T, missing_count=3, cause=UNKNOWN, detail="")
    ]


@pytest.mark.parametrize(
    ("outages", "cause"),
    [
        pytest.param([outage(1.1, 4.9)], "link_down", id="all of it"),
        pytest.param([outage(1.1, None)], "link_down", id="still open"),
        pytest.param([outage(-50, 60)], "link_down", id="longer than the gap"),
        pytest.param([outage(1.9, 2.1), outage(2.9, 3.1)], "link_down", id="flapping when samples were due"),
        pytest.param([outage(2.0, 2.01)], UNKNOWN, id="a moment explains one of three at most"),
        pytest.param([outage(5.5, 9)], UNKNOWN, id="later"),
        pytest.param([outage(0, 1)], UNKNOWN, id="earlier"),
        pytest.param(
            [outage(1.1, 2.2, "timeout", "modbus/1"), outage(2.2, 4.9)], "link_down", id="the longer of two"
        ),
        pytest.param([outage(1.1, 4.9, "historian_down", "")], "historian_down", id="the historian itself"),
    ],
)
def test_the_outage_that_covers_most_names_the_cause(outages: list[Outage], cause: str) -> None:
    [gap] = causes(every(0, 1, 5, 6, 7, 8, 9), outages)
    assert gap.cause == cause
    assert gap.detail == ("" if cause == UNKNOWN else outages[-1].detail)


def test_a_moment_explains_a_single_missed_sample() -> None:
    [gap] = causes(every(0, 1, 2, 4, 5, 6, 7, 8, 9), [outage(2.999, 3.001, "historian_down", "")])
    assert (gap.missing_count, gap.cause) == (1, "historian_down")


def test_a_restart_of_seconds_does_not_explain_days() -> None:
    [gap] = causes(every(0, 900), [outage(300, 300.01, "historian_down", "")], end=901)
    assert gap.cause == UNKNOWN


def test_before_the_first_sample_there_is_no_data_yet() -> None:
    gaps = causes(every(3, 4, 6), [outage(-100, 100)], end=7, first_us=3 * T)
    assert [(gap.cause, gap.missing_count) for gap in gaps] == [(NO_DATA_YET, 3), ("link_down", 1)]
    assert [gap.cause for gap in causes([], [], first_us=None)] == [NO_DATA_YET]


def test_samples_that_may_not_be_used_are_a_cause_of_their_own() -> None:
    samples: list[Sample] = [(0, 1.0), (T, 1.0, BAD), (2 * T, 1.0, BAD), (3 * T, 1.0)]
    [gap] = causes(samples, [], end=4)
    assert (gap.missing_count, gap.cause, gap.detail) == (2, BAD_QUALITY, "2 samples that may not be used")
    assert causes(samples, [outage(0.5, 2.5)], end=4)[0].cause == "link_down"
