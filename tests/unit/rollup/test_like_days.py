"""Like days: the weekday of the weeks before, where a holiday is a Sunday."""

import datetime

import pytest

from historian.energy.holiday import NO_HOLIDAYS, Holidays
from historian.model.tariff import Holiday, HolidayTable, HolidayYear
from historian.rollup import like_days


def date(text: str) -> datetime.date:
    return datetime.date.fromisoformat(f"2026-{text}")


NATIONAL = Holiday(
    names=("national_day",), first=date("10-01"), last=date("10-03"), workdays=(date("10-10"),)
)  # the 10th is a Saturday
YEAR = HolidayYear(year=2026, source="", confidence="", holidays=(NATIONAL,))
TABLE = Holidays.of(HolidayTable(id="cn", version=1, years=(YEAR,)))


@pytest.mark.parametrize(
    ("day", "holidays", "expected"),
    [
        ("10-15", NO_HOLIDAYS, ["10-08", "10-01", "09-24"]),
        ("10-15", TABLE, ["10-08", "09-24"]),  # a Thursday: the 1st is a holiday
        ("10-01", TABLE, ["09-27", "09-20", "09-13"]),
        ("10-04", TABLE, ["10-03", "10-02", "10-01", "09-27", "09-20", "09-13"]),
        ("10-10", TABLE, []),  # a Saturday that is worked is like no other day
        ("10-17", TABLE, ["09-26"]),  # neither the 3rd nor the 10th was a Saturday
    ],
)
def test_candidates(day: str, holidays: Holidays, expected: list[str]) -> None:
    assert like_days.like_days(date(day), holidays) == [date(one) for one in expected]


def test_a_year_without_a_table_is_told() -> None:
    assert like_days.are_holidays_known(date("10-15"), TABLE)
    assert not like_days.are_holidays_known(datetime.date(2027, 1, 5), TABLE)
    assert not like_days.are_holidays_known(date("01-05"), TABLE)  # the days before are of another year
