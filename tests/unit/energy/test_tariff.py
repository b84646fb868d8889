"""Bands of a day: shipped calendars against their policies, clock changes, holidays, flags, and what is refused."""

import datetime

import numpy as np
import pytest

from historian import resources
from historian.catalogue import tariff_files
from historian.energy import calendar, tariff
from historian.energy.holiday import NO_HOLIDAYS, Holidays
from historian.energy.tariff import FLAGS_UNKNOWN, HOLIDAYS_UNKNOWN, OUTSIDE_VALIDITY, DaySchedule, Tariff
from historian.errors import TariffError
from historian.model.point import HOUR_US
from historian.model.tariff import BANDS, UNDIVIDED, Overlay, Season, TariffCalendar
from historian.model.timestamp import format_local_time, load_zone

FOLDER = resources.config_dir() / "tariffs"
SHANGHAI = load_zone("Asia/Shanghai")
NOBODY = frozenset[str]()
ALL_DAY = Season(flat=("00:00-24:00",))


def date(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def china() -> Holidays:
    return Holidays.of(tariff_files.load_holidays(FOLDER)["CN"])


def shipped(name: str) -> Tariff:
    return tariff.compile_tariff(tariff_files.load_calendar(FOLDER / f"{name}.toml").calendar)


def made_of(*seasons: Season, overlays: tuple[Overlay, ...] = ()) -> Tariff:
    return tariff.compile_tariff(TariffCalendar(id="T", version=1, seasons=seasons, overlays=overlays))


def clock(schedule: DaySchedule, zone: datetime.tzinfo = SHANGHAI) -> str:
    """``00:00 valley 08:00 flat``."""
    starts = [format_local_time(int(edge), zone)[11:16] for edge in schedule.edges_us[:-1]]
    names = [BANDS[code] if code < len(BANDS) else "–" for code in schedule.band]
    return " ".join(f"{start} {name}" for start, name in zip(starts, names, strict=True))


@pytest.mark.parametrize(
    ("name", "day", "expected"),
    [
        pytest.param(
            "cn-11-2023",
            "2025-07-01",
            "00:00 valley 07:00 flat 10:00 peak 11:00 sharp 13:00 flat 16:00 sharp 17:00 peak 22:00 flat "
            "23:00 valley",
            id="Beijing: sharp replaces flat from 16 to 17",
        ),
        pytest.param(
            "cn-32-2025",
            "2025-08-31",
            "00:00 valley 06:00 flat 11:00 valley 13:00 flat 14:00 sharp 15:00 peak 19:30 sharp 21:30 peak "
            "22:00 flat",
            id="Jiangsu: half hours",
        ),
        pytest.param(
            "cn-32-2025",
            "2025-09-01",
            "00:00 flat 02:00 valley 06:00 flat 10:00 valley 14:00 flat 15:00 peak 22:00 flat",
            id="Jiangsu: 22 to 02 is both ends of one date",
        ),
        pytest.param(
            "cn-21-2023",
            "2025-05-01",
            "00:00 valley 05:00 flat 07:30 peak 10:30 flat 11:30 valley 12:30 flat 16:00 peak 21:00 flat "
            "22:00 valley",
            id="Liaoning: 07:30",
        ),
        pytest.param(
            "cn-12-2025",
            "2026-01-10",
            "00:00 valley 06:00 flat 08:00 peak 10:00 flat 12:00 valley 14:00 flat 16:00 peak 18:00 sharp "
            "20:00 peak 22:00 flat",
            id="Tianjin: winter",
        ),
        pytest.param(
            "cn-33-2024",
            "2026-02-17",
            "00:00 valley 08:00 peak 10:00 deep_valley 14:00 peak 17:00 flat",
            id="Zhejiang: deep valley of a holiday",
        ),
        pytest.param(
            "cn-33-2024",
            "2026-02-14",
            "00:00 valley 08:00 peak 11:00 valley 13:00 peak 17:00 flat",
            id="Zhejiang: not on the Saturday that makes up for it",
        ),
    ],
)
def test_days_of_shipped_calendars(name: str, day: str, expected: str) -> None:
    one = shipped(name)
    found = tariff.day_bands(one, date(day), SHANGHAI, china(), NOBODY, one.options)
    assert (clock(found), found.warnings) == (expected, ())


def test_every_shipped_calendar_tiles_its_days() -> None:
    files = tariff_files.load_calendars(FOLDER)
    assert len(files) == 7
    for file in files:
        assert tariff.compile_tariff(file.calendar).label == f"{file.calendar.id}@{file.calendar.version}"


def test_an_option_that_the_account_has_not_chosen_changes_nothing() -> None:
    one = shipped("cn-11-2023")
    found = tariff.day_bands(one, date("2025-07-01"), SHANGHAI, NO_HOLIDAYS, None, NOBODY)
    assert "sharp" not in clock(found)
    assert found.warnings == ()


def test_an_option_that_there_is_not_is_refused() -> None:
    one = shipped("cn-11-2023")
    with pytest.raises(TariffError, match=r"no option two_part; allowed: .*sharp_100kva_1kv"):
        tariff.day_bands(one, date("2025-07-01"), SHANGHAI, NO_HOLIDAYS, None, frozenset({"two_part"}))


@pytest.mark.parametrize("day", ["2025-05-31", "2023-09-01"])
def test_outside_its_validity_all_is_undivided(day: str) -> None:
    one = shipped("cn-32-2025" if day.startswith("2025") else "cn-11-2021")
    found = tariff.day_bands(one, date(day), SHANGHAI, china(), NOBODY, NOBODY)
    assert found.band.tolist() == [UNDIVIDED]
    assert found.edges_us.tolist() == list(calendar.day_edges_us(date(day), SHANGHAI))
    assert found.warnings == (OUTSIDE_VALIDITY,)


def test_the_first_and_the_last_day_of_validity() -> None:
    assert (
        tariff.day_bands(
            shipped("cn-32-2025"), date("2025-06-01"), SHANGHAI, china(), NOBODY, NOBODY
        ).warnings
        == ()
    )
    old = shipped("cn-11-2021")
    assert tariff.day_bands(old, date("2023-08-31"), SHANGHAI, china(), None, NOBODY).warnings == ()


def test_a_year_without_a_table_is_no_holiday_and_says_so() -> None:
    one = shipped("cn-33-2024")
    found = tariff.day_bands(one, date("2027-10-01"), SHANGHAI, china(), NOBODY, NOBODY)
    assert "deep_valley" not in clock(found)
    assert found.warnings == (HOLIDAYS_UNKNOWN,)


def test_a_flag_that_comes_afterwards_makes_a_day_sharp() -> None:
    hot = Overlay(band="sharp", windows=("11:00-12:00",), months=(7, 8), flags=("hot_day",))
    one = made_of(ALL_DAY, overlays=(hot,))
    july, october = date("2025-07-01"), date("2025-10-01")
    before = tariff.day_bands(one, july, SHANGHAI, NO_HOLIDAYS, None, NOBODY)
    assert (clock(before), before.warnings) == ("00:00 flat", (FLAGS_UNKNOWN,))
    hot_day = tariff.day_bands(one, july, SHANGHAI, NO_HOLIDAYS, frozenset({"hot_day"}), NOBODY)
    assert (clock(hot_day), hot_day.warnings) == ("00:00 flat 11:00 sharp 12:00 flat", ())
    cool_day = tariff.day_bands(one, july, SHANGHAI, NO_HOLIDAYS, NOBODY, NOBODY)
    assert (clock(cool_day), cool_day.warnings) == ("00:00 flat", ())
    assert tariff.day_bands(one, october, SHANGHAI, NO_HOLIDAYS, None, NOBODY).warnings == ()


def test_spans_begin_and_end_in_the_middle_of_months() -> None:
    sharp = Overlay(band="sharp", windows=("20:00-22:00",), dates=("07-15..08-31", "12-15..01-31"))
    one = made_of(ALL_DAY, overlays=(sharp,))
    days = ["07-14", "07-15", "08-31", "09-01", "12-14", "12-15", "01-31", "02-01"]
    found = [
        len(tariff.day_bands(one, date(f"2025-{day}"), SHANGHAI, NO_HOLIDAYS, None, NOBODY).band)
        for day in days
    ]
    assert found == [1, 3, 3, 1, 1, 3, 3, 1]


def test_of_two_overlays_the_later_one_counts() -> None:
    overlays = (
        Overlay(band="sharp", windows=("10:00-12:00",)),
        Overlay(band="deep_valley", windows=("11:00-13:00",)),
    )
    found = tariff.day_bands(
        made_of(ALL_DAY, overlays=overlays), date("2025-01-01"), SHANGHAI, NO_HOLIDAYS, None, NOBODY
    )
    assert clock(found) == "00:00 flat 10:00 sharp 11:00 deep_valley 13:00 flat"


def test_an_overlay_may_be_for_weekends() -> None:
    overlay = Overlay(band="valley", windows=("00:00-24:00",), days=("weekend",))
    one = made_of(ALL_DAY, overlays=(overlay,))
    days = ("2026-02-13", "2026-02-14", "2026-02-22", "2026-03-01")
    found = [tariff.day_bands(one, date(day), SHANGHAI, china(), None, NOBODY) for day in days]
    assert [clock(each) for each in found] == [*["00:00 flat"] * 3, "00:00 valley"]
    assert tariff.day_bands(one, date("2030-03-03"), SHANGHAI, china(), None, NOBODY).warnings == (
        HOLIDAYS_UNKNOWN,
    )


def test_types_of_day_have_seasons_of_their_own() -> None:
    work = Season(days=("weekday",), peak=("08:00-20:00",), flat=("20:00-08:00",))
    one = made_of(work, Season(days=("weekend", "holiday"), valley=("00:00-24:00",)))
    texts = [
        clock(tariff.day_bands(one, date(day), SHANGHAI, china(), None, NOBODY))
        for day in ("2026-02-13", "2026-02-14", "2026-02-16", "2026-03-01")
    ]
    assert texts == [*["00:00 flat 08:00 peak 20:00 flat"] * 2, *["00:00 valley"] * 2]
    unknown = tariff.day_bands(one, date("2030-01-02"), SHANGHAI, china(), None, NOBODY)
    assert unknown.warnings == (HOLIDAYS_UNKNOWN,)


NIGHT = Season(valley=("00:00-02:30",), flat=("02:30-24:00",))


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        pytest.param("Europe/Berlin", "2026-03-29", [2.0, 21.0], id="02 to 03 is not there"),
        pytest.param("Europe/Berlin", "2026-10-25", [2.5, 0.5, 0.5, 21.5], id="02 to 03 is there twice"),
        pytest.param("Australia/Lord_Howe", "2026-10-04", [2.0, 21.5], id="half an hour is not there"),
        pytest.param("Asia/Shanghai", "2026-03-29", [2.5, 21.5], id="no change"),
        pytest.param("America/Sao_Paulo", "2017-10-15", [1.5, 21.5], id="the day begins at 01:00"),
        pytest.param("America/Sao_Paulo", "2018-02-17", [2.5, 22.5], id="23 to 24 is there twice"),
        pytest.param(
            "America/St_Johns", "2006-10-29", [1 / 60, 59 / 60, 2.5, 21.5], id="at 00:01 back to 23:01"
        ),
        pytest.param("Pacific/Apia", "2011-12-30", [], id="a date that was skipped"),
    ],
)
def test_bands_follow_the_wall_clock(zone: str, day: str, hours: list[float]) -> None:
    found = tariff.day_bands(made_of(NIGHT), date(day), load_zone(zone), NO_HOLIDAYS, None, NOBODY)
    assert (np.diff(found.edges_us) / HOUR_US).tolist() == hours
    assert found.band.tolist() == ([3, 2] * 2)[: len(hours)]
    assert [found.edges_us[0], found.edges_us[-1]] == list(calendar.day_edges_us(date(day), load_zone(zone)))


def test_a_day_is_laid_out_once() -> None:
    one = made_of(ALL_DAY)
    asked = (one, date("2025-01-01"), SHANGHAI, NO_HOLIDAYS, None, NOBODY)
    assert tariff.day_bands(*asked) is tariff.day_bands(*asked)
    assert not tariff.day_bands(*asked).edges_us.flags.writeable


@pytest.mark.parametrize(
    ("seasons", "problem"),
    [
        pytest.param(
            [Season(name="cold", valley=("00:00-08:00",), flat=("08:00-11:30", "12:30-24:00"))],
            r"T: season 1 \(cold\): 11:30-12:30 has no band",
            id="hole",
        ),
        pytest.param(
            [Season(valley=("00:00-08:00",), flat=("07:30-24:00",))],
            "T: season 1: 07:30-08:00 is both flat and valley",
            id="overlap",
        ),
        pytest.param(
            [Season(flat=("00:00-24:00", "22:00-02:00"))],
            "00:00-02:00 is flat twice",
            id="overlap with itself",
        ),
        pytest.param(
            [Season(months=(1, 2), flat=("00:00-24:00",))],
            "T: 03-01 on a weekday lies in no season",
            id="year",
        ),
        pytest.param(
            [ALL_DAY, Season(name="x", dates=("02-29..02-29",), flat=("00:00-24:00",))],
            r"T: 02-29 on a weekday lies in season 1 and in season 2 \(x\)",
            id="two seasons",
        ),
        pytest.param(
            [Season(days=("weekday", "weekend"), flat=("00:00-24:00",))],
            "T: 01-01 on a holiday lies in no season",
            id="a type of day",
        ),
    ],
)
def test_a_calendar_that_does_not_tile_is_refused_with_the_place(seasons: list[Season], problem: str) -> None:
    with pytest.raises(TariffError, match=problem):
        made_of(*seasons)


def test_an_option_of_an_overlay_is_declared() -> None:
    overlay = Overlay(band="sharp", windows=("10:00-11:00",), option="big")
    with pytest.raises(TariffError, match="'big' is not declared; allowed: none is declared") as raised:
        made_of(ALL_DAY, overlays=(overlay,))
    assert raised.value.place == ("overlays", 0, "option")
