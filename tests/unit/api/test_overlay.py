"""Other days line up slot by slot under the same clock time."""

import datetime

import pytest

from api import overlay
from api.overlay import align, read_overlays
from api.problem import Problem
from historian.energy import calendar
from historian.model.point import MINUTE_US, TimeLabel
from historian.model.timestamp import load_zone

DATE = datetime.date(2026, 11, 21)
BERLIN = load_zone("Europe/Berlin")


def labels(date: datetime.date, interval_us: int = 15 * MINUTE_US) -> list[str]:
    edges_us = calendar.slot_edges_us(date, BERLIN, interval_us)
    return calendar.slot_labels(edges_us, BERLIN, TimeLabel.PERIOD_START)


@pytest.mark.parametrize(
    ("name", "date"),
    [("-1d", "2026-11-20"), ("-7d", "2026-11-14"), ("-2w", "2026-11-07"), ("2025-11-21", "2025-11-21")],
)
def test_another_day_is_an_offset_or_a_date(name: str, date: str) -> None:
    (found,) = read_overlays([name], DATE)
    assert (found.offset, found.date.isoformat()) == (name, date)


def test_a_day_asked_for_twice_is_drawn_once() -> None:
    assert len(read_overlays(["-1d", "-1d"], DATE)) == 1


@pytest.mark.parametrize("name", ["1d", "+1d", "-0d", "-1", "-1m", "d", "-99999d", "2026-02-30"])
def test_what_is_no_day_is_refused(name: str) -> None:
    with pytest.raises(Problem, match="compare"):
        read_overlays([name], DATE)


def test_too_many_days_are_refused() -> None:
    with pytest.raises(Problem, match="compare"):
        read_overlays([f"-{days}d" for days in range(1, overlay.OVERLAYS_MAX + 2)], DATE)


def test_equal_days_line_up_one_to_one() -> None:
    assert align(labels(DATE), labels(DATE)).tolist() == list(range(96))


def test_a_skipped_hour_has_no_counterpart() -> None:
    whole, short = datetime.date(2026, 3, 28), datetime.date(2026, 3, 29)
    assert align(labels(whole), labels(short)).tolist() == [*range(8), -1, -1, -1, -1, *range(8, 92)]
    assert align(labels(short), labels(whole)).tolist() == [*range(8), *range(12, 96)]


def test_a_repeated_hour_lines_up_first_with_first() -> None:
    long, whole = datetime.date(2026, 10, 25), datetime.date(2026, 10, 24)
    assert align(labels(long), labels(whole)).tolist() == [*range(12), -1, -1, -1, -1, *range(12, 96)]
    assert align(labels(long), labels(long)).tolist() == list(range(100))
    assert align(labels(whole), labels(long)).tolist() == [*range(12), *range(16, 100)]


def test_slots_of_seconds_line_up_too() -> None:
    seconds = labels(datetime.date(2026, 10, 25), MINUTE_US // 2)
    assert align(seconds, seconds).tolist() == list(range(len(seconds)))
