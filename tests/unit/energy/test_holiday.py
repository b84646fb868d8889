"""What a table of holidays says of a date, and when it has nothing to say."""

import datetime

import pytest

from historian.energy.holiday import NO_HOLIDAYS, DayKind, Holidays
from historian.model.tariff import Holiday, HolidayTable, HolidayYear


def date(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def year_of(year: int, *holidays: Holiday) -> HolidayYear:
    return HolidayYear(year=year, source="notice", confidence="high", holidays=holidays)


SPRING = Holiday(
    names=("spring_festival",),
    first=date("2026-02-15"),
    last=date("2026-02-23"),
    workdays=(date("2026-02-14"), date("2026-02-28")),
)
NEW_YEAR = Holiday(names=("new_year",), first=date("2024-12-30"), last=date("2025-01-01"))
TABLE = Holidays.of(HolidayTable(id="CN", version=1, years=(year_of(2025, NEW_YEAR), year_of(2026, SPRING))))
NOBODY = frozenset[str]()


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        pytest.param("2026-02-13", DayKind("weekday", NOBODY, True), id="a Friday"),
        pytest.param("2026-02-14", DayKind("weekday", NOBODY, True), id="a Saturday that is worked"),
        pytest.param("2026-02-15", DayKind("holiday", frozenset({"spring_festival"}), True), id="first"),
        pytest.param("2026-02-23", DayKind("holiday", frozenset({"spring_festival"}), True), id="last"),
        pytest.param("2026-03-01", DayKind("weekend", NOBODY, True), id="a Sunday"),
        pytest.param("2027-02-06", DayKind("weekend", NOBODY, False), id="a year without a notice"),
    ],
)
def test_the_kind_of_a_date(day: str, kind: DayKind) -> None:
    assert TABLE.kind_of(date(day)) == kind


def test_the_next_years_notice_may_move_the_last_days_of_a_year() -> None:
    assert TABLE.kind_of(date("2025-12-31")).is_known
    assert not TABLE.kind_of(date("2026-12-31")).is_known
    assert TABLE.kind_of(date("2026-12-19")).is_known
    assert TABLE.kind_of(date("2024-12-30")) == DayKind("holiday", frozenset({"new_year"}), False)


def test_two_holidays_may_fall_together() -> None:
    both = Holiday(names=("mid_autumn", "national_day"), first=date("2023-09-29"), last=date("2023-09-29"))
    found = Holidays.of(HolidayTable(id="CN", version=1, years=(year_of(2023, both),)))
    assert found.kind_of(date("2023-09-29")).names == {"mid_autumn", "national_day"}


def test_without_a_table_nothing_is_known() -> None:
    assert not NO_HOLIDAYS.kind_of(date("2025-05-01")).is_known
