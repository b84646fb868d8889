"""Windows of a clock and spans of dates, and what a calendar refuses by itself."""

import datetime

import msgspec
import pytest

from historian.model import tariff
from historian.model.tariff import Holiday, Overlay, Season, TariffCalendar, Window


@pytest.mark.parametrize(
    ("text", "windows"),
    [
        ("00:00-24:00", (Window(0, 1440),)),
        ("07:30-10:30", (Window(450, 630),)),
        ("22:00-02:00", (Window(0, 120), Window(1320, 1440))),
        ("22:00-00:00", (Window(1320, 1440),)),
    ],
)
def test_a_window_across_midnight_is_both_ends_of_one_date(text: str, windows: tuple[Window, ...]) -> None:
    assert tariff.windows_of(text) == windows


@pytest.mark.parametrize(
    "text", ["7:30-10:30", "07:60-08:00", "24:00-02:00", "22:00-24:01", "08:00-08:00", "08:00", "25:00-26:00"]
)
def test_what_is_no_window(text: str) -> None:
    with pytest.raises(ValueError, match="is no window; allowed"):
        tariff.windows_of(text)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("07-15..08-31", [(7, 15), (8, 1), (8, 31)], [(7, 14), (9, 1)]),
        ("12-15..01-31", [(12, 15), (12, 31), (1, 1), (1, 31)], [(12, 14), (2, 1), (7, 1)]),
        ("02-29..02-29", [(2, 29)], [(2, 28), (3, 1)]),
    ],
)
def test_a_span_may_wrap_the_years_end(
    text: str, inside: list[tuple[int, int]], outside: list[tuple[int, int]]
) -> None:
    span = tariff.span_of(text)
    assert all(span.holds(*date) for date in inside)
    assert not any(span.holds(*date) for date in outside)


@pytest.mark.parametrize("text", ["7-15..8-31", "02-30..03-01", "07-15", "13-01..01-01"])
def test_what_is_no_span(text: str) -> None:
    with pytest.raises(ValueError, match=r"MM-DD|no date"):
        tariff.span_of(text)


def test_a_fault_names_its_field() -> None:
    with pytest.raises(ValueError, match=r"^valley: '8-9' is no window"):
        Season(valley=("8-9",))
    with pytest.raises(ValueError, match=r"^windows: "):
        Overlay(band="sharp", windows=("8-9",))
    with pytest.raises(ValueError, match=r"^dates: "):
        Overlay(band="sharp", windows=("08:00-09:00",), dates=("02-30..03-01",))


def test_a_calendar_ends_after_it_began() -> None:
    day = datetime.date(2025, 6, 1)
    with pytest.raises(ValueError, match="valid_to: not after valid_from"):
        TariffCalendar(id="x", version=1, seasons=(Season(),), valid_from=day, valid_to=day)
    with pytest.raises(ValueError, match="last: before first"):
        Holiday(names=("a",), first=day, last=day - datetime.timedelta(days=1))


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert({"flat": ["00:00-24:00"], "shoulder": []}, Season)
